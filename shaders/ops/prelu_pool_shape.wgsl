// Of prelu_pool_forward.wgsl and prelu_pool_backward.wgsl.
struct Shape {
    count: u32,         // outputs forward, planes backward
    channels: u32,
    height: u32,        // of what was read
    width: u32,
    groups_across: u32, // of the dispatch, which is folded to stay within its limits
    parts: u32,         // of a plane (backward only)
    band: u32,          // rows of outputs in a part (backward only)
    unused: u32,
}
