// The gradients of a convolution's weights and bias: weight[o][c][ky][kx] = sum over n, y, x of
// gradient[n][o][y][x] * image[n][c][y * stride - padding + ky][x * stride - padding + kx], and
// bias[o] = sum over n, y, x of gradient[n][o][y][x].
//
// The sums are split into parts, which sum_parts.wgsl adds. Without atomics, the bits are the same
// each time. This is a Jinja template, as conv2d_forward.wgsl.
// CPU reference: `backward_weight` and `backward_bias` in src/model/ops/conv/cpu/mod.rs.
{% include "conv2d_shape.wgsl" %}
@group(0) @binding(0) var<storage, read_write> image: array<real>;
@group(0) @binding(1) var<storage, read_write> gradient: array<real>;
@group(0) @binding(2) var<storage, read_write> weight: array<f32>; // [part][o][c][ky][kx]
@group(0) @binding(3) var<storage, read_write> bias: array<f32>;   // [part][o]
@group(0) @binding(4) var<uniform> shape: Shape;
{% if tiled %}
// For cards: an implicit matrix product, [out, pixels] by [pixels, in * taps + 1]. The last column
// is ones, for the bias.
{% include "conv2d_product.wgsl" %}
fn rows() -> u32 { return shape.channels_out; }
fn columns() -> u32 { return shape.channels_in * TAPS + 1u; }
fn depth() -> u32 { return shape.images * shape.out_height * shape.out_width; }

fn left(row: u32, k: u32) -> f32 {
    let pixels = shape.out_height * shape.out_width;
    return f32(gradient[(k / pixels * shape.channels_out + row) * pixels + k % pixels]);
}

// The value of the image at the tap of a column, for pixel k.
fn right(k: u32, column: u32) -> f32 {
    if (column == shape.channels_in * TAPS) { return 1.0; }
    let pixel = k % (shape.out_height * shape.out_width);
    let y = i32(pixel / shape.out_width * {{ sy }}u + column % TAPS / {{ kw }}u) - {{ py }};
    let x = i32(pixel % shape.out_width * {{ sx }}u + column % {{ kw }}u) - {{ px }};
    if (y < 0 || x < 0 || y >= i32(shape.height) || x >= i32(shape.width)) { return 0.0; }
    let n = k / (shape.out_height * shape.out_width);
    let row = (n * shape.channels_in + column / TAPS) * shape.height + u32(y);
    return f32(image[row * shape.width + u32(x)]);
}

fn store(row: u32, column: u32, part: u32, sum: f32) {
    let last = shape.channels_in * TAPS;
    if (column == last) {
        bias[part * shape.channels_out + row] = sum;
    } else {
        weight[(part * shape.channels_out + row) * last + column] = sum;
    }
}
{% else %}
// For software adapters, as in conv2d_forward.wgsl. One invocation computes
// {{ to }} channels out by {{ tc }} in over a band of rows of one image, {{ tx }} columns at a time.
// Rows of the image that the next row of the output also needs stay in registers.
{% set taps = kh * kw %}{% set columns = (tx - 1) * sx + kw %}{% set kept = [kh - sy, 0]|max %}{% set new = kh - kept %}
@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = group_index(group) * 8u + lane;
    let across = (shape.channels_in + {{ tc - 1 }}u) / {{ tc }}u;
    let down = (shape.channels_out + {{ to - 1 }}u) / {{ to }}u;
    if (id >= shape.parts * across * down) { return; }
    let c0 = min(id % across * {{ tc }}u, shape.channels_in - {{ tc }}u);
    let o0 = min(id / across % down * {{ to }}u, shape.channels_out - {{ to }}u);
    let part = id / (across * down);
    let n = part / shape.bands;
    let first = i32(part % shape.bands * shape.band);
    let end = min(first + i32(shape.band), i32(shape.out_height));
    var a: array<f32, {{ to * tc * taps }}>;
    var b: array<f32, {{ to }}>;
    for (var x0 = 0u; x0 < shape.out_width; x0 += {{ tx }}u) {
        let left = i32(x0 * {{ sx }}u) - {{ px }};
{% for i in range(columns) %}        let in{{ i }} = left + {{ i }} >= 0 && left + {{ i }} < i32(shape.width);
{% endfor %}{% for x in range(tx) %}        let out{{ x }} = x0 + {{ x }}u < shape.out_width;
{% endfor %}{% for c in range(tc) %}{% for k in range(kh) %}{% for i in range(columns) %}        var x{{ c }}_{{ k }}_{{ i }} = 0.0;
{% endfor %}{% endfor %}{% endfor %}
        // The first iterations only fill the rows that stay in registers.
        for (var y = first - {{ (kept + sy - 1) // sy }}; y < end; y += 1) {
{% for c in range(tc) %}{% for k in range(kept) %}{% for i in range(columns) %}            x{{ c }}_{{ k }}_{{ i }} = x{{ c }}_{{ k + sy }}_{{ i }};
{% endfor %}{% endfor %}{% endfor %}
{%- for k in range(kept, kh) %}            {
                let iy = y * {{ sy }} + {{ k - py }};
                let in_y = iy >= 0 && iy < i32(shape.height);
{% for i in range(columns) %}                let ok{{ i }} = in_y && in{{ i }};
{% endfor %}{% for c in range(tc) %}                let row{{ c }} = (i32(n * shape.channels_in + c0 + {{ c }}u) * i32(shape.height) + iy) * i32(shape.width) + left;
{% for i in range(columns) %}                x{{ c }}_{{ k }}_{{ i }} = select(0.0, f32(image[u32(select(0, row{{ c }} + {{ i }}, ok{{ i }}))]), ok{{ i }});
{% endfor %}{% endfor %}            }
{% endfor %}
            let in_y = y >= first;
{% for x in range(tx) %}            let ok{{ x }} = in_y && out{{ x }};
{% endfor %}{% for o in range(to) %}            {
                let row = (i32(n * shape.channels_out + o0 + {{ o }}u) * i32(shape.out_height) + y) * i32(shape.out_width) + i32(x0);
{% for x in range(tx) %}                let g{{ x }} = select(0.0, f32(gradient[u32(select(0, row + {{ x }}, ok{{ x }}))]), ok{{ x }});
                b[{{ o }}] += g{{ x }};
{% for c in range(tc) %}{% for ky in range(kh) %}{% for kx in range(kw) %}{% set at = (o * tc + c) * taps + ky * kw + kx %}                a[{{ at }}] = fma(g{{ x }}, x{{ c }}_{{ ky }}_{{ x * sx + kx }}, a[{{ at }}]);
{% endfor %}{% endfor %}{% endfor %}{% endfor %}            }
{% endfor %}        }
    }
{% for o in range(to) %}    {
        let row = part * shape.channels_out + o0 + {{ o }}u;
        let kernel = (row * shape.channels_in + c0) * {{ taps }}u;
{% for i in range(tc * taps) %}        weight[kernel + {{ i }}u] = a[{{ o * tc * taps + i }}];
{% endfor %}        if (c0 == 0u) { bias[row] = b[{{ o }}]; }
    }
{% endfor %}}
{% endif %}
