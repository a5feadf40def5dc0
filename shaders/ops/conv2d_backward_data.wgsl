// The gradient of a convolution's input, NCHW: image[n][c][iy][ix] = sum over o, ky, kx of
// gradient[n][o][y][x] * weight[o][c][ky][kx], where y * stride - padding + ky = iy and
// x * stride - padding + kx = ix.
//
// This is a Jinja template, as conv2d_forward.wgsl.
// CPU reference: `backward_data` in src/model/ops/conv/cpu/mod.rs.
{% include "conv2d_shape.wgsl" %}
@group(0) @binding(0) var<storage, read_write> gradient: array<real>;
@group(0) @binding(1) var<storage, read_write> weight: array<real>;
@group(0) @binding(2) var<storage, read_write> image: array<real>;
@group(0) @binding(3) var<uniform> shape: Shape;
{% if tiled %}
// For cards: an implicit matrix product, [in, out * taps] by [out * taps, pixels].
{% include "conv2d_product.wgsl" %}
fn rows() -> u32 { return shape.channels_in; }
fn columns() -> u32 { return shape.images * shape.height * shape.width; }
fn depth() -> u32 { return shape.channels_out * TAPS; }

fn left(row: u32, k: u32) -> f32 {
    return f32(weight[(k / TAPS * shape.channels_in + row) * TAPS + k % TAPS]);
}

// The gradient of the output pixel that this pixel contributed to through tap k.
fn right(k: u32, column: u32) -> f32 {
    let pixel = column % (shape.height * shape.width);
    let y = i32(pixel / shape.width) + {{ py }} - i32(k % TAPS / {{ kw }}u);
    let x = i32(pixel % shape.width) + {{ px }} - i32(k % {{ kw }}u);
    if (y < 0 || x < 0) { return 0.0; }
{% if sy > 1 or sx > 1 %}    if (y % {{ sy }} != 0 || x % {{ sx }} != 0) { return 0.0; }
{% endif %}    let out_y = u32(y) / {{ sy }}u;
    let out_x = u32(x) / {{ sx }}u;
    if (out_y >= shape.out_height || out_x >= shape.out_width) { return 0.0; }
    let n = column / (shape.height * shape.width);
    let row = (n * shape.channels_out + k / TAPS) * shape.out_height + out_y;
    return f32(gradient[row * shape.out_width + out_x]);
}

fn store(row: u32, column: u32, part: u32, sum: f32) {
    let pixels = shape.height * shape.width;
    image[(column / pixels * shape.channels_in + row) * pixels + column % pixels] = real(sum);
}
{% else %}
// For software adapters, as in conv2d_forward.wgsl. One invocation computes
// {{ ty }}x{{ tx }} pixels of {{ tc }} channels. Its first pixel is a multiple of the stride, and
// therefore the template knows which taps meet which pixels.
{% set taps = kh * kw %}{% set whole_y = sy == 1 %}{% set whole_x = sx == 1 %}
{%- set first_y = -((kh - 1 - py) // sy) %}{% set last_y = (ty - 1 + py) // sy %}
{%- set first_x = -((kw - 1 - px) // sx) %}{% set last_x = (tx - 1 + px) // sx %}
@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = group_index(group) * 8u + lane;
    let across = (shape.width + {{ tx - 1 }}u) / {{ tx }}u;
    let down = (shape.height + {{ ty - 1 }}u) / {{ ty }}u;
    let blocks = (shape.channels_in + {{ tc - 1 }}u) / {{ tc }}u;
    if (id >= shape.images * blocks * down * across) { return; }
    // Without a stride the last tiles overlap, as in conv2d_forward.wgsl. With a stride they extend
    // beyond the image.
    let x0 = {% if whole_x %}min(id % across * {{ tx }}u, shape.width - {{ tx }}u){% else %}id % across * {{ tx }}u{% endif %};
    let y0 = {% if whole_y %}min(id / across % down * {{ ty }}u, shape.height - {{ ty }}u){% else %}id / across % down * {{ ty }}u{% endif %};
    let c0 = min(id / (across * down) % blocks * {{ tc }}u, shape.channels_in - {{ tc }}u);
    let n = id / (across * down * blocks);
    let left = i32(x0 / {{ sx }}u);
    let top = i32(y0 / {{ sy }}u);
{% for i in range(first_x, last_x + 1) %}    let in{{ i - first_x }} = left + {{ i }} >= 0 && left + {{ i }} < i32(shape.out_width);
{% endfor %}
    var a: array<f32, {{ ty * tx * tc }}>;
    for (var o = 0u; o < shape.channels_out; o += 1u) {
        let corner = i32((n * shape.channels_out + o) * shape.out_height * shape.out_width) + top * i32(shape.out_width) + left;
        let kernel = (o * shape.channels_in + c0) * {{ taps }}u;
{% for i in range(tc * taps) %}        let w{{ i }} = f32(weight[kernel + {{ i }}u]);
{% endfor %}
{%- for r in range(first_y, last_y + 1) %}        {
            let row = corner + {{ r }} * i32(shape.out_width);
            let in_y = top + {{ r }} >= 0 && top + {{ r }} < i32(shape.out_height);
{% for i in range(first_x, last_x + 1) %}{% set k = i - first_x %}            let ok{{ k }} = in_y && in{{ k }};
            let g{{ k }} = select(0.0, f32(gradient[u32(select(0, row + {{ i }}, ok{{ k }}))]), ok{{ k }});
{% endfor %}
{%- for ky in range(kh) %}{% set y = r * sy - py + ky %}{% if y >= 0 and y < ty %}
{%- for i in range(first_x, last_x + 1) %}{% for kx in range(kw) %}{% set x = i * sx - px + kx %}{% if x >= 0 and x < tx %}
{%- for c in range(tc) %}{% set at = (c * ty + y) * tx + x %}            a[{{ at }}] = fma(g{{ i - first_x }}, w{{ c * taps + ky * kw + kx }}, a[{{ at }}]);
{% endfor %}{% endif %}{% endfor %}{% endfor %}{% endif %}{% endfor %}        }
{% endfor %}    }
{% for c in range(tc) %}    {
        let plane = (n * shape.channels_in + c0 + {{ c }}u) * shape.height + y0;
{% for y in range(ty) %}        {% if not whole_y %}if (y0 + {{ y }}u < shape.height) {% endif %}{
            let row = (plane + {{ y }}u) * shape.width + x0;
{% for x in range(tx) %}            {% if not whole_x %}if (x0 + {{ x }}u < shape.width) {% endif %}{ image[row + {{ x }}u] = real(a[{{ (c * ty + y) * tx + x }}]); }
{% endfor %}        }
{% endfor %}    }
{% endfor %}}
{% endif %}
