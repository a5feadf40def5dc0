// A convolution of one channel and its maximum over frequency: out[n][c][t] = the maximum over f of
// the sum over i, j of image[n][t + i - top][f + j] * weight[c][i][j].
//
// The image is zero before its first and after its last frame. With `with_places`, the f of each
// maximum is written too: the first one if several are equal.
//
// This is a Jinja template; MaxSource in src/model/ops/conv_max/source.rs has its variables. The
// invocations of a row of the workgroup have one filter each and the same frames, so that they load
// the same values of the image. An invocation keeps the sums of {{ r }} frames by {{ p }} places in
// registers, and goes down the image row by row: a row meets another row of the filter in each
// frame. There is no barrier.
//
// Tensors are of `real` (f16 or f32), sums of f32. Rows of both tensors have lengths that are
// multiples of four, and the values beyond the true width do not matter.
// CPU reference: `forward_with_places` in src/model/ops/conv_max/cpu/mod.rs.
{% include "conv2d_max_shape.wgsl" %}
@group(0) @binding(0) var<storage, read_write> image: array<vec4<real>>;
@group(0) @binding(1) var<storage, read_write> weight: array<{% if kw > 1 %}vec4<real>{% else %}real{% endif %}>;
@group(0) @binding(2) var<storage, read_write> out: array<real>;
{% if with_places -%}
@group(0) @binding(3) var<storage, read_write> places: array<f32>;
{% endif -%}
@group(0) @binding({{ 4 if with_places else 3 }}) var<uniform> shape: Shape;
{% set quads = (kw + 3) // 4 %}{% set vector = "vec4<f32>" if kw > 1 else "f32" %}{% set lanes = ["x", "y", "z", "w"] %}
@compute @workgroup_size(8, {{ tall }})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let id = group.y * shape.groups_across + group.x;
    let down = (shape.out_frames + {{ r * tall - 1 }}u) / {{ r * tall }}u;
    let across = (shape.channels + 7u) / 8u;
    if (id >= shape.images * across * down) { return; }
    // The last filters and frames are computed more than once. All write the same values.
    let c = min(id / down % across * 8u + local.x, shape.channels - 1u);
    let t0 = min((id % down * {{ tall }}u + local.y) * {{ r }}u, shape.out_frames - {{ r }}u);
    let n = id / (down * across);
    // The row of the image that meets row 0 of the filter in frame t0.
    let top = i32(t0) - i32(shape.top);
    let first = max(0, top);
    let end = min(i32(shape.frames), top + {{ r - 1 + kh }});
    let quads_across = (shape.bands + 3u) / 4u;
    let last = shape.images * shape.frames * quads_across - 1u;
{% for i in range(r) %}    var most{{ i }} = -0x1.fffffep+127;
{% if with_places %}    var place{{ i }} = 0u;
{% endif %}{% endfor %}
    for (var f = 0u; f < shape.places; f += {{ p }}u) {
{% for i in range(r) %}{% for j in range(p) %}        var a{{ i }}_{{ j }} = 0.0;
{% endfor %}{% endfor %}
{%- if r > 1 %}        // The rows of the filter that met the padding, or zero.
{% endif %}{% for i in range(r) %}{% if i + 1 < r %}        let row{{ i }} = first - top - {{ i + 1 }};
        let in{{ i }} = f32(row{{ i }} >= 0 && row{{ i }} < {{ kh }});
        let taps{{ i }} = (c * {{ kh }}u + u32(clamp(row{{ i }}, 0, {{ kh - 1 }}))) * {{ quads }}u;
{% for k in range(quads) %}        var w{{ i }}_{{ k }} = {{ vector }}(weight[taps{{ i }} + {{ k }}u]) * in{{ i }};
{% endfor %}{% else %}{% for k in range(quads) %}        var w{{ i }}_{{ k }} = {{ vector }}();
{% endfor %}{% endif %}{% endfor %}        for (var y = first; y < end; y += 1) {
            let row = y - top;
            // A row of the filter that met this row of the image one frame earlier meets it again.
{% for i in range(r - 1) %}{% for k in range(quads) %}            w{{ r - 1 - i }}_{{ k }} = w{{ r - 2 - i }}_{{ k }};
{% endfor %}{% endfor %}
{%- if r > 1 %}            let inside = f32(row < {{ kh }});
            let taps = (c * {{ kh }}u + u32(min(row, {{ kh - 1 }}))) * {{ quads }}u;
{% else %}            let taps = (c * {{ kh }}u + u32(row)) * {{ quads }}u;
{% endif %}{% for k in range(quads) %}            w0_{{ k }} = {{ vector }}(weight[taps + {{ k }}u]){% if r > 1 %} * inside{% endif %};
{% endfor %}            let at = (n * shape.frames + u32(y)) * quads_across + f / 4u;
{% for q in range((p + kw + 2) // 4) %}            let x{{ q }} = vec4<f32>(image[min(at + {{ q }}u, last)]);
{% endfor %}
{%- for i in range(r) %}{% for k in range(kw) %}{% for j in range(p) %}            a{{ i }}_{{ j }} = fma(x{{ (j + k) // 4 }}.{{ lanes[(j + k) % 4] }}, w{{ i }}_{{ k // 4 }}{% if kw > 1 %}.{{ lanes[k % 4] }}{% endif %}, a{{ i }}_{{ j }});
{% endfor %}{% endfor %}{% endfor %}        }
{% for j in range(p) %}        if (f + {{ j }}u < shape.places) {
{% for i in range(r) %}{% if with_places %}            place{{ i }} = select(place{{ i }}, f + {{ j }}u, a{{ i }}_{{ j }} > most{{ i }});
{% endif %}            most{{ i }} = max(most{{ i }}, a{{ i }}_{{ j }});
{% endfor %}        }
{% endfor %}    }
    let to = (n * shape.channels + c) * shape.out_frames + t0;
{% for i in range(r) %}    out[to + {{ i }}u] = real(most{{ i }});
{% if with_places %}    places[to + {{ i }}u] = f32(place{{ i }});
{% endif %}{% endfor %}}
