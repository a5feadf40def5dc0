// The convolution, NCHW: out[n][o][y][x] = bias[o] + sum over c, ky, kx of
// image[n][c][y * stride - padding + ky][x * stride - padding + kx] * weight[o][c][ky][kx].
//
// The image is zero outside its borders. With `rectify`, a ReLU follows.
//
// This is a Jinja template. Kernel, stride, padding and tile are known when it is rendered, and
// everything that depends on them alone is unrolled; ConvSource in src/model/ops/conv/source.rs has
// its variables. Tensors are of `real` (f16 or f32), sums of f32.
// CPU reference: `forward` in src/model/ops/conv/cpu/mod.rs.
{% include "conv2d_shape.wgsl" %}
@group(0) @binding(0) var<storage, read_write> image: array<real>;
@group(0) @binding(1) var<storage, read_write> weight: array<real>;
@group(0) @binding(2) var<storage, read_write> out: array<real>;
{% if bias -%}
@group(0) @binding(3) var<storage, read_write> bias: array<real>;
{% endif -%}
@group(0) @binding({{ 4 if bias else 3 }}) var<uniform> shape: Shape;
{% if tiled %}
// For cards: an implicit matrix product, [out, in * taps] by [in * taps, pixels].
{% include "conv2d_product.wgsl" %}
fn rows() -> u32 { return shape.channels_out; }
fn columns() -> u32 { return shape.images * shape.out_height * shape.out_width; }
fn depth() -> u32 { return shape.channels_in * TAPS; }

// The weight, as [out][in * taps].
fn left(row: u32, k: u32) -> f32 { return f32(weight[row * depth() + k]); }

// The value of the image at tap k of a pixel.
fn right(k: u32, column: u32) -> f32 {
    let c = k / TAPS;
    let pixel = column % (shape.out_height * shape.out_width);
    let y = i32(pixel / shape.out_width * {{ sy }}u + k % TAPS / {{ kw }}u) - {{ py }};
    let x = i32(pixel % shape.out_width * {{ sx }}u + k % {{ kw }}u) - {{ px }};
    if (y < 0 || x < 0 || y >= i32(shape.height) || x >= i32(shape.width)) { return 0.0; }
    let n = column / (shape.out_height * shape.out_width);
    let row = (n * shape.channels_in + c) * shape.height + u32(y);
    return f32(image[row * shape.width + u32(x)]);
}

fn store(row: u32, column: u32, part: u32, sum: f32) {
    let pixels = shape.out_height * shape.out_width;
    var value = sum;
{% if bias %}    value += f32(bias[row]);
{% endif %}{% if rectify %}    value = max(0.0, value);
{% endif %}    out[(column / pixels * shape.channels_out + row) * pixels + column % pixels] = real(value);
}
{% else %}
// For software adapters. There is no barrier, and each loaded value is used as often as possible in
// registers, because a load costs as much as a hundred multiply-adds. One invocation computes
// {{ ty }}x{{ tx }} pixels of {{ tc }} channels.
@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = group_index(group) * 8u + lane;
    let across = (shape.out_width + {{ tx - 1 }}u) / {{ tx }}u;
    let down = (shape.out_height + {{ ty - 1 }}u) / {{ ty }}u;
    let blocks = (shape.channels_out + {{ tc - 1 }}u) / {{ tc }}u;
    if (id >= shape.images * blocks * down * across) { return; }
    // The last tile of a row, a column or the channels overlaps the tile before it. Both write the
    // same values.
    let x0 = min(id % across * {{ tx }}u, shape.out_width - {{ tx }}u);
    let y0 = min(id / across % down * {{ ty }}u, shape.out_height - {{ ty }}u);
    let o0 = min(id / (across * down) % blocks * {{ tc }}u, shape.channels_out - {{ tc }}u);
    let n = id / (across * down * blocks);
{% set columns = (tx - 1) * sx + kw %}{% set rows = (ty - 1) * sy + kh %}{% set taps = kh * kw %}
    let left = i32(x0 * {{ sx }}u) - {{ px }};
    let top = i32(y0 * {{ sy }}u) - {{ py }};
{% if padded %}{% for i in range(columns) %}    let in{{ i }} = left + {{ i }} >= 0 && left + {{ i }} < i32(shape.width);
{% endfor %}{% endif %}
    var a: array<f32, {{ ty * tx * tc }}>;
    for (var c = 0u; c < shape.channels_in; c += 1u) {
        let corner = i32((n * shape.channels_in + c) * shape.height * shape.width) + top * i32(shape.width) + left;
        let kernel = (o0 * shape.channels_in + c) * {{ taps }}u;
{% for o in range(tc) %}{% for t in range(taps) %}        let w{{ o }}_{{ t }} = f32(weight[kernel + {{ o * taps }}u * shape.channels_in + {{ t }}u]);
{% endfor %}{% endfor %}
{%- for r in range(rows) %}        {
            let row = corner + {{ r }} * i32(shape.width);
{% if padded %}            let in_y = top + {{ r }} >= 0 && top + {{ r }} < i32(shape.height);
{% for i in range(columns) %}            let ok{{ i }} = in_y && in{{ i }};
            let x{{ i }} = select(0.0, f32(image[u32(select(0, row + {{ i }}, ok{{ i }}))]), ok{{ i }});
{% endfor %}{% else %}{% for i in range(columns) %}            let x{{ i }} = f32(image[u32(row) + {{ i }}u]);
{% endfor %}{% endif %}
{%- for ky in range(kh) %}{% set up = r - ky %}{% if up >= 0 and up % sy == 0 and up // sy < ty %}{% set y = up // sy %}
{%- for kx in range(kw) %}{% for x in range(tx) %}{% for o in range(tc) %}{% set i = (o * ty + y) * tx + x %}            a[{{ i }}] = fma(x{{ x * sx + kx }}, w{{ o }}_{{ ky * kw + kx }}, a[{{ i }}]);
{% endfor %}{% endfor %}{% endfor %}{% endif %}{% endfor %}        }
{% endfor %}    }
{% for o in range(tc) %}    {
        let plane = (n * shape.channels_out + o0 + {{ o }}u) * shape.out_height + y0;
        let b = {% if bias %}f32(bias[o0 + {{ o }}u]){% else %}0.0{% endif %};
{% for y in range(ty) %}        let row{{ y }} = (plane + {{ y }}u) * shape.out_width + x0;
{% for x in range(tx) %}        out[row{{ y }} + {{ x }}u] = real({% if rectify %}max(0.0, {% endif %}a[{{ (o * ty + y) * tx + x }}] + b{% if rectify %}){% endif %});
{% endfor %}{% endfor %}    }
{% endfor %}}
{% endif %}
