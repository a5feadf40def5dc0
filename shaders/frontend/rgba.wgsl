// Decibels to a picture: one invocation makes RUN pixels of one column of one clip, from the top down.
//
// Either axis is resized by weights: the first and the last cell that a pixel covers have their own, those between share
// one (area mean when shrinking, linear when growing). A cell row is blended over the column's frames once, and kept for
// as long as the next pixel may need it: every cell is read once a column, but at the ends of a run. Then stretch the
// clip's own range over the color map and look the color up. Cells without a value carry no weight; a pixel's alpha is
// the share of its weight that had one. Low frequencies are at the bottom: the host has turned the y axis round.
//
// Neighboring invocations write neighboring pixels. They read from neighboring frames, far apart, but a run's cells
// lie in one or two cache lines a frame. What depends on y alone is in uniform memory.
//
// `rgba_tensor` writes [clip][channel][y][x] in 0..=1 for the network, of `real`, which the host defines before this text as f32
// or f16; `rgba_u8` packed bytes [clip][y][x] for PNG.
// Twin: src/frontend/cpu/rgba.rs.

override RUN: u32 = 16u;

struct Params {
    frames: u32,
    rows: u32,
    height: u32,
    width: u32,
    top_db: f32, // colors from max - top_db to max; 0: from min to max
    y_inner: f32, // weight of a cell between the first and the last
    x_inner: f32,
    pad: u32,
}

// The cells that a pixel covers.
struct Stretch {
    start: u32,
    len: u32,
    first: f32,
    last: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> colors: array<vec4<f32>, 256>;
@group(0) @binding(2) var<storage, read> db: array<f32>;           // [clip][frame][row]
@group(0) @binding(3) var<storage, read> range: array<u32>;        // [clip]: key of max, inverted key of min
@group(0) @binding(4) var<uniform> y_axis: array<Stretch, 4096>;   // rows of each y
@group(0) @binding(5) var<storage, read> x_axis: array<Stretch>;   // frames of each x
@group(0) @binding(6) var<storage, read_write> tensor: array<real>;
@group(0) @binding(7) var<storage, read_write> out_u8: array<u32>;
@group(0) @binding(8) var<storage, read> masks: array<vec4<u32>>;  // [clip][2]: columns x..y, rows z..w

const NO_VALUE: f32 = -3.0e38;

// The column of this invocation: its frames, where they begin, and the clip's colors.
var<private> column: Stretch;
var<private> base: u32;
var<private> lo: f32;
var<private> per_db: f32;
// The last two rows blended: weighted sum of decibels, sum of weights.
var<private> near: vec2<f32>;
var<private> far: vec2<f32>;
var<private> near_row: u32;
var<private> far_row: u32;

fn unkey(k: u32) -> f32 {
    return bitcast<f32>(select(~k, k & 0x7fffffffu, (k & 0x80000000u) != 0u));
}

fn weight(s: Stretch, i: u32, inner: f32) -> f32 {
    return select(select(inner, s.last, i + 1u == s.len), s.first, i == 0u);
}

// False if the clip has no value at all.
fn begin(clip: u32, x: u32) -> bool {
    let high = range[2u * clip];
    if (high == 0u) { return false; }
    let hi = unkey(high);
    lo = select(unkey(~range[2u * clip + 1u]), hi - params.top_db, params.top_db > 0.0);
    per_db = select(0.0, 256.0 / (hi - lo), hi > lo);
    column = x_axis[x];
    base = (clip * params.frames + column.start) * params.rows;
    near_row = 0xffffffffu;
    far_row = 0xffffffffu;
    return true;
}

// One row of cells over the column's frames.
fn blend(row: u32) -> vec2<f32> {
    if (row == far_row) { return far; }
    if (row != near_row) {
        far = near;
        far_row = near_row;
        near = vec2<f32>(0.0);
        near_row = row;
        for (var j = 0u; j < column.len; j++) {
            let value = db[base + j * params.rows + row];
            let w = select(weight(column, j, params.x_inner), 0.0, value == NO_VALUE);
            near += vec2<f32>(w * max(value, lo), w);
        }
    }
    return near;
}

// The pixel at y. Rows go down in frequency, as y does.
fn color(y: u32) -> vec4<f32> {
    let rows = y_axis[y];
    var sum = vec2<f32>(0.0);
    for (var i = rows.len; i > 0u; i--) {
        sum += weight(rows, i - 1u, params.y_inner) * blend(rows.start + i - 1u);
    }
    if (sum.y <= 0.0) { return vec4<f32>(0.0); }
    let c = colors[u32(clamp((sum.x / sum.y - lo) * per_db, 0.0, 255.0))];
    return vec4<f32>(c.rgb, min(sum.y, 1.0));
}

@compute @workgroup_size(64)
fn rgba_tensor(@builtin(global_invocation_id) id: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>) {
    let x = id.x;
    if (x >= params.width) { return; }
    let clip = group.z;
    let any = begin(clip, x);
    // SpecAugment (Park et al. 2019): two masks, each of columns and of rows.
    let a = masks[2u * clip];
    let b = masks[2u * clip + 1u];
    let hidden = (x >= a.x && x < a.y) || (x >= b.x && x < b.y);
    let plane = params.height * params.width;
    let last = min((group.y + 1u) * RUN, params.height);
    for (var y = group.y * RUN; y < last; y++) {
        var c = vec4<f32>(0.0);
        if (any) { c = color(y); }
        if (hidden || (y >= a.z && y < a.w) || (y >= b.z && y < b.w)) { c = vec4<f32>(colors[0].rgb, 1.0); }
        let at = clip * 4u * plane + y * params.width + x;
        tensor[at] = real(c.r);
        tensor[at + plane] = real(c.g);
        tensor[at + 2u * plane] = real(c.b);
        tensor[at + 3u * plane] = real(c.a);
    }
}

@compute @workgroup_size(64)
fn rgba_u8(@builtin(global_invocation_id) id: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>) {
    if (id.x >= params.width) { return; }
    let any = begin(group.z, id.x);
    let last = min((group.y + 1u) * RUN, params.height);
    for (var y = group.y * RUN; y < last; y++) {
        var c = vec4<f32>(0.0);
        if (any) { c = color(y); }
        out_u8[(group.z * params.height + y) * params.width + id.x] = pack4x8unorm(c);
    }
}
