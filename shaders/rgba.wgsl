// Decibels to a picture: one invocation makes one pixel of one clip.
//
// Resize by the rows of two small weight tables (area mean when shrinking, linear when growing), stretch the clip's own
// range over the colour map, look the colour up. Cells without a value carry no weight; a pixel's alpha is the share of
// its weight that had one. Low frequencies are at the bottom: the row table is flipped.
//
// `rgba_f32` writes [clip][channel][y][x] in 0..=1 for the network, `rgba_u8` packed bytes [clip][y][x] for PNG.
// Twin: src/frontend/cpu/rgba.rs.

struct Params {
    frames: u32,
    rows: u32,
    height: u32,
    width: u32,
    top_db: f32, // colours from max - top_db to max; 0: from min to max
    pad0: u32,
    pad1: u32,
    pad2: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> colours: array<vec4<f32>, 256>;
@group(0) @binding(2) var<storage, read> db: array<f32>;               // [clip][frame][row]
@group(0) @binding(3) var<storage, read> range: array<u32>;            // [clip]: key of max, inverted key of min
@group(0) @binding(4) var<storage, read> y_rows: array<vec4<u32>>;     // start, len, offset
@group(0) @binding(5) var<storage, read> y_weights: array<f32>;
@group(0) @binding(6) var<storage, read> x_rows: array<vec4<u32>>;
@group(0) @binding(7) var<storage, read> x_weights: array<f32>;
@group(0) @binding(8) var<storage, read_write> out_f32: array<f32>;
@group(0) @binding(9) var<storage, read_write> out_u8: array<u32>;
@group(0) @binding(10) var<storage, read> masks: array<vec4<u32>>;     // [clip][2]: columns x..y, rows z..w

const NO_VALUE: f32 = -3.0e38;

fn unkey(k: u32) -> f32 {
    return bitcast<f32>(select(~k, k & 0x7fffffffu, (k & 0x80000000u) != 0u));
}

fn colour(clip: u32, y: u32, x: u32) -> vec4<f32> {
    let high = range[2u * clip];
    if (high == 0u) { return vec4<f32>(0.0); }
    let hi = unkey(high);
    let lo = select(unkey(~range[2u * clip + 1u]), hi - params.top_db, params.top_db > 0.0);
    let row = y_rows[y];
    let column = x_rows[x];
    let base = clip * params.frames * params.rows;
    var sum = 0.0;
    var weight = 0.0;
    for (var j = 0u; j < column.y; j++) {
        let wx = x_weights[column.z + j];
        let first = base + (column.x + j) * params.rows + row.x;
        for (var i = 0u; i < row.y; i++) {
            let value = db[first + i];
            let w = select(0.0, wx * y_weights[row.z + i], value != NO_VALUE);
            sum += w * max(value, lo);
            weight += w;
        }
    }
    if (weight <= 0.0) { return vec4<f32>(0.0); }
    let span = hi - lo;
    let t = select(0.0, (sum / weight - lo) / span, span > 0.0);
    let c = colours[u32(clamp(t * 256.0, 0.0, 255.0))];
    return vec4<f32>(c.rgb, min(weight, 1.0));
}

// SpecAugment (Park et al. 2019): whether a mask hides this pixel.
fn masked(clip: u32, y: u32, x: u32) -> bool {
    let a = masks[2u * clip];
    let b = masks[2u * clip + 1u];
    return (x >= a.x && x < a.y) || (y >= a.z && y < a.w) || (x >= b.x && x < b.y) || (y >= b.z && y < b.w);
}

@compute @workgroup_size(64)
fn rgba_f32(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.width) { return; }
    var c = colour(id.z, id.y, id.x);
    if (masked(id.z, id.y, id.x)) { c = vec4<f32>(colours[0].rgb, 1.0); }
    let plane = params.height * params.width;
    let at = id.z * 4u * plane + id.y * params.width + id.x;
    out_f32[at] = c.r;
    out_f32[at + plane] = c.g;
    out_f32[at + 2u * plane] = c.b;
    out_f32[at + 3u * plane] = c.a;
}

@compute @workgroup_size(64)
fn rgba_u8(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.width) { return; }
    let c = colour(id.z, id.y, id.x);
    out_u8[(id.z * params.height + id.y) * params.width + id.x] = pack4x8unorm(c);
}
