// A baseline of `sonoprint bench`: radix 2 with one dispatch per stage. Between stages all points
// are in global memory.

override N_FFT: u32 = 2048u;
override LOG2: u32 = 11u;

struct Params {
    clip_samples: u32,
    frames: u32,
    hop: u32,
    edge_scale: f32,
    inner_scale: f32,
    first_clip: u32, // the clip that is first in `work`
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> pcm: array<f32>;             // [clip][sample]
@group(0) @binding(2) var<storage, read> window: array<f32>;          // [N_FFT]
@group(0) @binding(3) var<storage, read_write> db: array<f32>;        // [clip][frame][bin]
@group(0) @binding(4) var<storage, read_write> work: array<vec2<f32>>; // [clip][frame][N_FFT]
@group(0) @binding(5) var<uniform> stage: vec4<u32>;                  // x: half a block's length

const SMALLEST_NORMAL: f32 = 1.17549435e-38;
const PI: f32 = 3.14159265358979;

@compute @workgroup_size(64)
fn load(@builtin(global_invocation_id) id: vec3<u32>) {
    let first = (params.first_clip + id.z) * params.clip_samples + id.y * params.hop;
    let base = (id.z * params.frames + id.y) * N_FFT;
    let sample = pcm[first + id.x] * window[id.x];
    work[base + (reverseBits(id.x) >> (32u - LOG2))] = vec2<f32>(sample, 0.0);
}

@compute @workgroup_size(64)
fn butterfly(@builtin(global_invocation_id) id: vec3<u32>) {
    let half = stage.x;
    let k = id.x & (half - 1u);
    let at = (id.z * params.frames + id.y) * N_FFT + (id.x - k) * 2u + k;
    let angle = -PI * f32(k) / f32(half);
    let w = vec2<f32>(cos(angle), sin(angle));
    let x = work[at];
    let y = work[at + half];
    let turned = vec2<f32>(y.x * w.x - y.y * w.y, y.x * w.y + y.y * w.x);
    work[at] = x + turned;
    work[at + half] = x - turned;
}

@compute @workgroup_size(64)
fn store(@builtin(global_invocation_id) id: vec3<u32>) {
    let bins = N_FFT / 2u + 1u;
    if (id.x >= bins) { return; }
    let frame = id.z * params.frames + id.y;
    let z = work[frame * N_FFT + id.x];
    let scale = select(params.inner_scale, params.edge_scale, id.x == 0u || id.x == N_FFT / 2u);
    let power = dot(z, z) * scale;
    let out = (params.first_clip * params.frames + frame) * bins;
    let decibels = 10.0 * log2(power) / 3.32192809488736;
    db[out + id.x] = select(-3.0e38, decibels, power >= SMALLEST_NORMAL);
}
