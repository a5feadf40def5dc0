// The gradients of the image, bias and slope of prelu_pool_forward.wgsl. The first of equal values
// in a 2x2 window gets the whole gradient. The gradients of bias and slope are parts, which
// sum_parts.wgsl adds. One invocation per band of rows of a plane.
//
// CPU reference: `backward` in src/model/ops/pool/cpu.rs.

@group(0) @binding(0) var<storage, read_write> image: array<real>;
@group(0) @binding(1) var<storage, read_write> bias: array<real>;
@group(0) @binding(2) var<storage, read_write> slope: array<real>;
@group(0) @binding(3) var<storage, read_write> gradient: array<real>;
@group(0) @binding(4) var<storage, read_write> for_image: array<real>;
@group(0) @binding(5) var<storage, read_write> for_bias: array<f32>;  // [image][part][channel]
@group(0) @binding(6) var<storage, read_write> for_slope: array<f32>; // the same
@group(0) @binding(7) var<uniform> shape: Shape;

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = (group.y * shape.groups_across + group.x) * 8u + lane;
    if (id >= shape.count * shape.parts) { return; }
    let plane = id / shape.parts;
    let part = id % shape.parts;
    let c = plane % shape.channels;
    let b = f32(bias[c]);
    let s = f32(slope[c]);
    let across = shape.width / 2u;
    let down = shape.height / 2u;
    let end = min((part + 1u) * shape.band, down);
    var sum_bias = 0.0;
    var sum_slope = 0.0;
    for (var y = part * shape.band; y < end; y += 1u) {
        let above = (plane * shape.height + 2u * y) * shape.width;
        let below = above + shape.width;
        var row_bias = 0.0;
        var row_slope = 0.0;
        for (var x = 0u; x < across; x += 1u) {
            let at = above + 2u * x;
            let under = below + 2u * x;
            let window = vec4<real>(image[at], image[at + 1u], image[under], image[under + 1u]);
            let v = vec4<f32>(window) + b;
            let a = select(v * s, v, v > vec4<f32>(0.0));
            let most = max(max(a.x, a.y), max(a.z, a.w));
            let x0 = a.x == most;
            let x1 = !x0 && a.y == most;
            let x2 = !x0 && !x1 && a.z == most;
            let best = select(select(select(v.w, v.z, x2), v.y, x1), v.x, x0);
            let g = f32(gradient[(plane * down + y) * across + x]);
            let through = g * select(s, 1.0, best > 0.0);
            for_image[at] = real(select(0.0, through, x0));
            for_image[at + 1u] = real(select(0.0, through, x1));
            for_image[under] = real(select(0.0, through, x2));
            for_image[under + 1u] = real(select(through, 0.0, x0 || x1 || x2));
            row_bias += through;
            row_slope += g * min(best, 0.0);
        }
        if (shape.width % 2u == 1u) {
            for_image[above + shape.width - 1u] = real(0.0);
            for_image[below + shape.width - 1u] = real(0.0);
        }
        sum_bias += row_bias;
        sum_slope += row_slope;
    }
    if (shape.height % 2u == 1u && part + 1u == shape.parts) {
        let last = (plane * shape.height + shape.height - 1u) * shape.width;
        for (var x = 0u; x < shape.width; x += 1u) { for_image[last + x] = real(0.0); }
    }
    let to = (plane / shape.channels * shape.parts + part) * shape.channels + c;
    for_bias[to] = sum_bias;
    for_slope[to] = sum_slope;
}
