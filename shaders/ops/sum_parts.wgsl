// total[i] = sum over p of parts[p][i], in the order of p, so that the bits are the same each time.
// One invocation per i. `real` is f16 or f32.

struct Shape {
    count: u32,         // values of the result
    parts: u32,
    groups_across: u32, // workgroups in x: the dispatch is folded into two dimensions
    unused: u32,
}

@group(0) @binding(0) var<storage, read_write> parts: array<f32>;  // [part][i]
@group(0) @binding(1) var<storage, read_write> total: array<real>; // [i]
@group(0) @binding(2) var<uniform> shape: Shape;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = (group.y * shape.groups_across + group.x) * 64u + lane;
    if (i >= shape.count) { return; }
    var sum = 0.0;
    for (var p = 0u; p < shape.parts; p += 1u) { sum += parts[p * shape.count + i]; }
    total[i] = real(sum);
}
