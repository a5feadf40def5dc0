// The gradient of the weights of conv2d_max.wgsl: for_weight[c][i][j] = the sum over n, t of
// gradient[n][c][t] * image[n][t + i - top][places[n][c][t] + j].
//
// One invocation per weight adds the images and frames in their order. This is a Jinja template, as
// conv2d_max.wgsl.
// CPU reference: `backward_weight` in src/model/ops/conv_max/cpu/backward.rs.
{% include "conv2d_max_shape.wgsl" %}
@group(0) @binding(0) var<storage, read_write> image: array<f32>;
@group(0) @binding(1) var<storage, read_write> places: array<f32>;
@group(0) @binding(2) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> for_weight: array<f32>;
@group(0) @binding(4) var<uniform> shape: Shape;

@compute @workgroup_size({{ 8 * tall }})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = group.y * shape.groups_across + group.x;
    // The invocations of a workgroup have one filter.
    let across = {{ (kh * kw + 8 * tall - 1) // (8 * tall) }}u;
    if (id >= shape.channels * across) { return; }
    let c = id / across;
    let tap = min(id % across * {{ 8 * tall }}u + lane, {{ kh * kw - 1 }}u);
    let row = i32(tap / {{ kw }}u) - i32(shape.top);
    var total = 0.0;
    for (var n = 0u; n < shape.images; n += 1u) {
        let series = (n * shape.channels + c) * shape.out_frames;
        var sum = 0.0;
        for (var t = 0u; t < shape.out_frames; t += 1u) {
            let y = i32(t) + row;
            let inside = y >= 0 && y < i32(shape.frames);
            let x = u32(places[series + t]) + tap % {{ kw }}u;
            let at = (n * shape.frames + u32(select(0, y, inside))) * shape.bands + x;
            sum = fma(select(0.0, image[at], inside), gradient[series + t], sum);
        }
        total += sum;
    }
    for_weight[c * {{ kh * kw }}u + tap] = total;
}
