// The uniform of prelu_pool_forward.wgsl and prelu_pool_backward.wgsl.
struct Shape {
    count: u32,         // forward: outputs; backward: planes
    channels: u32,
    height: u32,        // of the input
    width: u32,
    groups_across: u32, // workgroups in x: the dispatch is folded into two dimensions
    parts: u32,         // backward: parts per plane
    band: u32,          // backward: rows of outputs per part
    unused: u32,
}
