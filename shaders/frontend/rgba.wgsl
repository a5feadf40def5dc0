// Spectrogram to RGBA image: one invocation computes PIXELS pixels of one column of one clip, from
// the top down.
//
// Both axes are resized by weights: the first and the last cell that a pixel covers have weights of
// their own, those between share one (area mean when shrinking, linear when growing). A row of
// cells is blended over the column's frames once and kept as long as the next pixel may need it, so
// each cell is read once per column, except at the ends of an invocation's pixels. The clip's range
// is then stretched over the color map, and the color is looked up. Cells without a value have no
// weight; a pixel's alpha is the share of its weight that has a value. Low frequencies are at the
// bottom: the host has reversed the y axis.
//
// Neighboring invocations write neighboring pixels. They read from neighboring frames, far apart,
// but the cells of one invocation's pixels lie in one or two cache lines per frame. What depends on
// y alone is in uniform memory.
//
// `rgba_tensor` writes [clip][channel][y][x] in 0..=1 for the network, of `real`, which the host
// defines before this text as f32 or f16. `rgba_u8` writes packed bytes [clip][y][x] for PNG.
// CPU reference: src/frontend/cpu/rgba.rs.

override PIXELS: u32 = 16u;

struct Params {
    frames: u32,
    rows: u32,
    height: u32,
    width: u32,
    top_db: f32,  // colors from max - top_db to max; 0: from min to max
    y_inner: f32, // weight of a cell between the first and the last
    x_inner: f32,
    pad: u32,
}

// The cells that a pixel covers, with the weights of the first and the last.
struct CellSpan {
    start: u32,
    len: u32,
    first: f32,
    last: f32,
}

// As `Augment` of stft_common.wgsl; only the masks matter here.
struct Augment {
    waveform: array<vec4<u32>, 3>,
    masks: array<vec4<u32>, 2>, // columns x..y, rows z..w
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> colors: array<vec4<f32>, 256>;
@group(0) @binding(2) var<storage, read> spectrogram: array<f32>;   // [clip][frame][row]
@group(0) @binding(3) var<storage, read> range: array<u32>;         // [clip]: see stft_common.wgsl
@group(0) @binding(4) var<uniform> y_axis: array<CellSpan, 4096>;   // rows of each y
@group(0) @binding(5) var<storage, read> x_axis: array<CellSpan>;   // frames of each x
@group(0) @binding(6) var<storage, read_write> tensor: array<real>;
@group(0) @binding(7) var<storage, read_write> out_u8: array<u32>;
@group(0) @binding(8) var<storage, read> augments: array<Augment>;  // [clip]
@group(0) @binding(10) var<uniform> before: vec4<u32>;              // as in stft_common.wgsl

const NO_VALUE: f32 = -3.0e38;

// The column of this invocation: its frames, their first cell, and the clip's color scale.
var<private> column: CellSpan;
var<private> base: u32;
var<private> lo: f32;
var<private> per_unit: f32;
// The last two rows blended: weighted sum of values, sum of weights.
var<private> near: vec2<f32>;
var<private> far: vec2<f32>;
var<private> near_row: u32;
var<private> far_row: u32;

fn unkey(k: u32) -> f32 {
    return bitcast<f32>(select(~k, k & 0x7fffffffu, (k & 0x80000000u) != 0u));
}

fn weight(s: CellSpan, i: u32, inner: f32) -> f32 {
    return select(select(inner, s.last, i + 1u == s.len), s.first, i == 0u);
}

// Prepares column `x`. Returns false if the clip has no value at all.
fn begin(clip: u32, x: u32) -> bool {
    let high = range[2u * clip];
    if (high == 0u) { return false; }
    let hi = unkey(high);
    lo = select(unkey(~range[2u * clip + 1u]), hi - params.top_db, params.top_db > 0.0);
    per_unit = select(0.0, 256.0 / (hi - lo), hi > lo);
    column = x_axis[x];
    base = (clip * params.frames + column.start) * params.rows;
    near_row = 0xffffffffu;
    far_row = 0xffffffffu;
    return true;
}

// Blends one row of cells over the column's frames.
fn blend(row: u32) -> vec2<f32> {
    if (row == far_row) { return far; }
    if (row != near_row) {
        far = near;
        far_row = near_row;
        near = vec2<f32>(0.0);
        near_row = row;
        for (var j = 0u; j < column.len; j++) {
            let value = spectrogram[base + j * params.rows + row];
            let w = select(weight(column, j, params.x_inner), 0.0, value == NO_VALUE);
            near += vec2<f32>(w * max(value, lo), w);
        }
    }
    return near;
}

// The pixel at y. A larger y is a lower frequency, so the rows are walked downward.
fn color(y: u32) -> vec4<f32> {
    let rows = y_axis[y];
    var sum = vec2<f32>(0.0);
    for (var i = rows.len; i > 0u; i--) {
        sum += weight(rows, i - 1u, params.y_inner) * blend(rows.start + i - 1u);
    }
    if (sum.y <= 0.0) { return vec4<f32>(0.0); }
    let c = colors[u32(clamp((sum.x / sum.y - lo) * per_unit, 0.0, 255.0))];
    return vec4<f32>(c.rgb, min(sum.y, 1.0));
}

@compute @workgroup_size(64)
fn rgba_tensor(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(workgroup_id) group: vec3<u32>,
) {
    let x = id.x;
    if (x >= params.width) { return; }
    let clip = group.z;
    let any = begin(clip, x);
    // SpecAugment (Park et al. 2019): two masks, each of columns and of rows.
    let a = augments[clip].masks[0];
    let b = augments[clip].masks[1];
    let hidden = (x >= a.x && x < a.y) || (x >= b.x && x < b.y);
    let plane = params.height * params.width;
    let last = min((group.y + 1u) * PIXELS, params.height);
    for (var y = group.y * PIXELS; y < last; y++) {
        var c = vec4<f32>(0.0);
        if (any) { c = color(y); }
        if (hidden || (y >= a.z && y < a.w) || (y >= b.z && y < b.w)) {
            c = vec4<f32>(colors[0].rgb, 1.0);
        }
        let at = before.x + clip * 4u * plane + y * params.width + x;
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
    let last = min((group.y + 1u) * PIXELS, params.height);
    for (var y = group.y * PIXELS; y < last; y++) {
        var c = vec4<f32>(0.0);
        if (any) { c = color(y); }
        out_u8[(group.z * params.height + y) * params.width + id.x] = pack4x8unorm(c);
    }
}
