// The uniform of the conv2d_max*.wgsl kernels.
struct Shape {
    images: u32,
    frames: u32,        // of an image
    bands: u32,
    channels: u32,
    out_frames: u32,
    places: u32,        // of a filter along frequency
    top: u32,           // frames of zeros before an image
    groups_across: u32, // workgroups in x: the dispatch is folded into two dimensions
}
