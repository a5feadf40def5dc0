// Bias, parametric ReLU (negative values times the channel's slope) and 2x2 max-pooling, in one
// pass. A last odd row or column is dropped. One invocation per output.
//
// CPU reference: `forward` in src/model/ops/pool/cpu.rs.

@group(0) @binding(0) var<storage, read_write> image: array<real>;
@group(0) @binding(1) var<storage, read_write> bias: array<real>;
@group(0) @binding(2) var<storage, read_write> slope: array<real>;
@group(0) @binding(3) var<storage, read_write> out: array<real>;
@group(0) @binding(4) var<uniform> shape: Shape;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = (group.y * shape.groups_across + group.x) * 64u + lane;
    if (i >= shape.count) { return; }
    let across = shape.width / 2u;
    let down = shape.height / 2u;
    let plane = i / (across * down);
    let c = plane % shape.channels;
    let at = (plane * shape.height + i / across % down * 2u) * shape.width + i % across * 2u;
    let below = at + shape.width;
    let window = vec4<real>(image[at], image[at + 1u], image[below], image[below + 1u]);
    let x = vec4<f32>(window) + f32(bias[c]);
    let y = select(x * f32(slope[c]), x, x > vec4<f32>(0.0));
    out[i] = real(max(max(y.x, y.y), max(y.z, y.w)));
}
