// A baseline of `sonoprint bench`: a first, simple STFT. One workgroup per frame, all N_FFT complex
// points in workgroup memory, radix 2, sine and cosine computed in every butterfly.

override N_FFT: u32 = 2048u;
override LOG2: u32 = 11u;

struct Params {
    clip_samples: u32,
    frames: u32,
    hop: u32,
    edge_scale: f32,
    inner_scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> pcm: array<f32>;      // [clip][sample]
@group(0) @binding(2) var<storage, read> window: array<f32>;   // [N_FFT]
@group(0) @binding(3) var<storage, read_write> db: array<f32>; // [clip][frame][bin]

var<workgroup> work: array<vec2<f32>, N_FFT>;

const LANES: u32 = 256u;
const PI: f32 = 3.14159265358979;
const SMALLEST_NORMAL: f32 = 1.17549435e-38;

@compute @workgroup_size(LANES)
fn naive(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let first = group.y * params.clip_samples + group.x * params.hop;
    for (var i = lane; i < N_FFT; i += LANES) {
        work[reverseBits(i) >> (32u - LOG2)] = vec2<f32>(pcm[first + i] * window[i], 0.0);
    }
    workgroupBarrier();
    for (var half = 1u; half < N_FFT; half *= 2u) {
        for (var b = lane; b < N_FFT / 2u; b += LANES) {
            let k = b & (half - 1u);
            let at = (b - k) * 2u + k;
            let angle = -PI * f32(k) / f32(half);
            let w = vec2<f32>(cos(angle), sin(angle));
            let x = work[at];
            let y = work[at + half];
            let turned = vec2<f32>(y.x * w.x - y.y * w.y, y.x * w.y + y.y * w.x);
            work[at] = x + turned;
            work[at + half] = x - turned;
        }
        workgroupBarrier();
    }
    let bins = N_FFT / 2u + 1u;
    let out = (group.y * params.frames + group.x) * bins;
    for (var k = lane; k < bins; k += LANES) {
        let scale = select(params.inner_scale, params.edge_scale, k == 0u || k == N_FFT / 2u);
        let power = dot(work[k], work[k]) * scale;
        let decibels = 10.0 * log2(power) / 3.32192809488736;
        db[out + k] = select(-3.0e38, decibels, power >= SMALLEST_NORMAL);
    }
}
