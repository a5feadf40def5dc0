// The gradient of the image of conv2d_max.wgsl: for_image[n][t + i - top][places[n][c][t] + j] is
// the sum over c, t, i, j of gradient[n][c][t] * weight[c][i][j].
//
// One invocation per row of an image adds to its row alone, the filters and their rows in their
// order. This is a Jinja template, as conv2d_max.wgsl.
// CPU reference: `backward_data` in src/model/ops/conv_max/cpu/backward.rs.
{% include "conv2d_max_shape.wgsl" %}
@group(0) @binding(0) var<storage, read_write> weight: array<f32>;
@group(0) @binding(1) var<storage, read_write> places: array<f32>;
@group(0) @binding(2) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> for_image: array<f32>;
@group(0) @binding(4) var<uniform> shape: Shape;

@compute @workgroup_size({{ 8 * tall }})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = (group.y * shape.groups_across + group.x) * {{ 8 * tall }}u + lane;
    if (id >= shape.images * shape.frames) { return; }
    let n = id / shape.frames;
    let y = i32(id % shape.frames);
    let to = id * shape.bands;
    for (var f = 0u; f < shape.bands; f += 1u) { for_image[to + f] = 0.0; }
    for (var c = 0u; c < shape.channels; c += 1u) {
        let series = (n * shape.channels + c) * shape.out_frames;
        for (var i = 0; i < {{ kh }}; i += 1) {
            let t = y + i32(shape.top) - i;
            if (t >= 0 && t < i32(shape.out_frames)) {
                let g = gradient[series + u32(t)];
                let x = to + u32(places[series + u32(t)]);
                let taps = (c * {{ kh }}u + u32(i)) * {{ kw }}u;
                for (var j = 0u; j < {{ kw }}u; j += 1u) {
                    for_image[x + j] = fma(g, weight[taps + j], for_image[x + j]);
                }
            }
        }
    }
}
