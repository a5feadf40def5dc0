// What all STFT kernels share: parameters, bindings, the samples of a frame before windowing,
// compression, and the store of a cell.
//
// The host puts `real`, the type of the spectrogram's cells (f32 or f16), before this text, and the
// kernel after it.

override MEL: bool = false;
// For training: see struct Augment.
override AUGMENT: bool = false;
// The spectrogram is the network's input. SpecAugment then masks it here, and nobody needs a range.
override FEATURES: bool = false;
// The host's `Compression`: 0 Masked, 1 Floor, 2 Log.
override COMPRESSION: u32 = 0u;

struct Params {
    clip_samples: u32,
    frames: u32,
    rows: u32,
    hop: u32,
    lead: i32,        // samples of a frame before its own time: 0, or N_FFT / 2 if centered
    reflect: u32,     // outside the clip: 0 zeros, 1 mirrored
    compression: f32, // the compression's parameter: amin of Floor, scale of Log
    edge_scale: f32,  // of the power of DC and Nyquist
    inner_scale: f32, // of the power of every other bin
    pad0: u32,
    pad1: u32,
    pad2: u32,
}

// What is done to one clip. Before windowing: mix with the next clip, gain (and polarity), noise.
// Then how frames are taken, and a filter. The masks hide cells of features.
struct Augment {
    gain: f32,
    noise: f32, // amplitude of uniform noise
    mix: f32,   // share of the next clip
    seed: u32,  // of the noise
    tempo: f32, // factor of the frames' starts
    pitch: f32, // factor of the samples' distances from a frame's middle
    equalizer: array<f32, 6>,   // dB of cos(pi k (row + 1/2) / rows), k from 1
    masks: array<vec4<u32>, 2>, // times x..y, rows z..w
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> pcm: array<f32>;             // [clip][sample]
@group(0) @binding(6) var<storage, read_write> spectrogram: array<real>;  // [clip][frame][row]
// [clip][2]: key of the largest value, inverted key of the smallest.
@group(0) @binding(7) var<storage, read_write> range: array<atomic<u32>>;
@group(0) @binding(8) var<storage, read> augments: array<Augment>;    // [clip]
// Cells of `spectrogram` before the first clip: a binding begins at a multiple of what the device
// asks for, and a tensor's clip anywhere. A vector, because a uniform's size is a multiple of 16.
@group(0) @binding(10) var<uniform> before: vec4<u32>;

var<private> augment: Augment;
// Largest and smallest value that this invocation has written.
var<private> top: f32;
var<private> bottom: f32;

const NO_VALUE: f32 = -3.0e38;
const SMALLEST_NORMAL: f32 = 1.17549435e-38;
const LARGEST: f32 = 3.40282346e38;
const SQRT_HALF: f32 = 0.70710678118654752;
const DB_PER_LOG2: f32 = 3.01029995663981195;
const LOG10_2: f32 = 0.301029995663981195;

fn mul(x: vec2<f32>, y: vec2<f32>) -> vec2<f32> {
    return vec2<f32>(x.x * y.x - x.y * y.y, x.x * y.y + x.y * y.x);
}

// The PCG hash (Jarzynski and Olano 2020, "Hash functions for GPU rendering").
fn pcg(v: u32) -> u32 {
    let state = v * 747796405u + 2891336453u;
    let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
    return (word >> 22u) ^ word;
}

// White noise in -1..1 at one sample of the clip. It depends on seed and place only, so that all
// frames that share a sample agree on it.
fn white(at: u32) -> f32 {
    return f32(pcg(at + pcg(augment.seed)) >> 8u) * 1.1920928955078125e-7 - 1.0;
}

// Sample `place` of the clip, or of what surrounds it.
fn value(base: u32, place: i32) -> f32 {
    let n = i32(params.clip_samples);
    var at = place;
    if (params.reflect == 1u) {
        at = select(at, -at, at < 0);
        at = select(at, 2 * (n - 1) - at, at >= n);
    }
    let inside = at >= 0 && at < n;
    let index = base + u32(clamp(at, 0, n - 1));
    var x = pcm[index];
    if (AUGMENT) {
        if (augment.mix > 0.0) {
            x = x * (1.0 - augment.mix) + pcm[index + params.clip_samples] * augment.mix;
        }
        x *= augment.gain;
        if (augment.noise > 0.0) { x += augment.noise * white(u32(at)); }
    }
    return select(0.0, x, inside);
}

// Sample `i` of the frame that begins `start` samples into the clip, before windowing. The clip
// begins at `base`.
fn sample(base: u32, start: i32, i: u32) -> f32 {
    if (AUGMENT) {
        if (augment.pitch != 1.0) {
            let away = (f32(i) - f32(N_FFT / 2u)) * augment.pitch;
            let whole = floor(away);
            let at = start + i32(N_FFT / 2u) + i32(whole);
            let between = away - whole;
            return (value(base, at) * (1.0 - between) + value(base, at + 1) * between);
        }
    }
    return value(base, start + i32(i));
}

// Where a frame begins. At another tempo, frames that would lie behind the clip's end wrap around
// to its start.
fn frame_start(frame: u32) -> i32 {
    var at = frame * params.hop;
    if (AUGMENT) {
        if (augment.tempo != 1.0) { at = u32(f32(at) * augment.tempo) % params.clip_samples; }
    }
    return i32(at) - params.lead;
}

// cos(pi m / (2 rows)), within 2e-7. WGSL lets `cos` be off by 2^-11 between -pi and pi, and by
// anything outside. So the angle is reduced to a quarter turn in integers, and the cosine is its
// Taylor polynomial, whose remainder is 7e-9 there.
fn cosine(m: u32, rows: u32) -> f32 {
    let turn = m % (4u * rows);
    let half_turn = min(turn, 4u * rows - turn);
    let quarter = min(half_turn, 2u * rows - half_turn);
    let x = 1.57079632679489662 * f32(quarter) / f32(rows);
    let y = x * x;
    let tail = 1.0 / 40320.0 - y * (1.0 / 3628800.0 - y / 479001600.0);
    let value = 1.0 - y * (0.5 - y * (1.0 / 24.0 - y * (1.0 / 720.0 - y * tail)));
    return select(value, -value, half_turn > rows);
}

// The power of a row after the clip's filter.
fn filtered(power: f32, row: u32) -> f32 {
    if (!AUGMENT) { return power; }
    var db = 0.0;
    for (var k = 1u; k <= 6u; k++) {
        let a = augment.equalizer[k - 1u];
        if (a != 0.0) { db += a * cosine(k * (2u * row + 1u), params.rows); }
    }
    return power * exp2(db / DB_PER_LOG2);
}

// The value of a power. CPU reference: src/frontend/cpu/compress.rs.
fn compress(power: f32) -> f32 {
    switch (COMPRESSION) {
        case 2u: { // Log: the sum keeps what is near silence to within f32's rounding of 1
            return log2(1.0 + clamp(params.compression * power, 0.0, LARGEST)) * LOG10_2;
        }
        default: { // Masked, whose parameter is 0, and Floor
            let p = max(power, params.compression);
            if (p < SMALLEST_NORMAL) { return NO_VALUE; }
            return log2(p) * DB_PER_LOG2;
        }
    }
}

// A u32 that orders as the f32 does, and is never 0 for a number.
fn key(v: f32) -> u32 {
    let bits = bitcast<u32>(v);
    return select(bits | 0x80000000u, ~bits, (bits & 0x80000000u) != 0u);
}

// Whether SpecAugment hides the cell.
fn masked(frame: u32, row: u32) -> bool {
    let a = augment.masks[0];
    let b = augment.masks[1];
    return (frame >= a.x && frame < a.y) || (row >= a.z && row < a.w)
        || (frame >= b.x && frame < b.y) || (row >= b.z && row < b.w);
}

// Writes a row of the frame whose rows begin at `out`.
fn keep(out: u32, row: u32, power: f32) {
    var value = compress(filtered(power, row));
    if (FEATURES) {
        if (AUGMENT) {
            if (masked(out / params.rows % params.frames, row)) { value = compress(0.0); }
        }
    } else {
        top = max(top, value);
        if (value != NO_VALUE) { bottom = min(bottom, value); }
    }
    spectrogram[before.x + out + row] = real(value);
}

// Powers of bins k and n_fft / 2 - k, from those elements of the half-length transform; `w` is
// exp(-2 pi i k / n_fft).
fn powers(z: vec2<f32>, m: vec2<f32>, w: vec2<f32>) -> vec2<f32> {
    let even = 0.5 * vec2<f32>(z.x + m.x, z.y - m.y);
    let odd = mul(0.5 * vec2<f32>(z.y + m.y, m.x - z.x), w);
    let up = even + odd;
    let down = even - odd;
    return vec2<f32>(dot(up, up), dot(down, down)) * params.inner_scale;
}

// Powers of the first and the last bin.
fn edges(z: vec2<f32>) -> vec2<f32> {
    let dc = z.x + z.y;
    let nyquist = z.x - z.y;
    return vec2<f32>(dc * dc, nyquist * nyquist) * params.edge_scale;
}
