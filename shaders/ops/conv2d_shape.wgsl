struct Shape {
    images: u32,
    channels_in: u32,
    height: u32,
    width: u32,
    channels_out: u32,
    out_height: u32,
    out_width: u32,
    groups_across: u32, // of the dispatch, which is folded to stay within its limits
    groups_down: u32,   // workgroups that share their columns
    parts: u32,         // that the sum is split into
    band: u32,          // rows of an image in a part
    bands: u32,         // parts of an image
}
