// The uniform of the conv2d_*.wgsl kernels: the sizes that their source does not depend on.
struct Shape {
    images: u32,
    channels_in: u32,
    height: u32,
    width: u32,
    channels_out: u32,
    out_height: u32,
    out_width: u32,
    groups_across: u32, // workgroups in x: the dispatch is folded into two dimensions
    groups_down: u32,   // tiled: workgroups that share their columns
    parts: u32,         // parts of the sum
    band: u32,          // direct, weights: rows of an image per part
    bands: u32,         // direct, weights: parts per image
    first_row: u32,     // rows of workgroups in the dispatches before this one
    pad0: u32,
    pad1: u32,
    pad2: u32,
}

// The number of a workgroup among those of all dispatches of a pass.
fn group_index(group: vec3<u32>) -> u32 {
    return (shape.first_row + group.y) * shape.groups_across + group.x;
}
