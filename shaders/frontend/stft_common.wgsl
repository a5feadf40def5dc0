// What every way to make decibels shares: parameters, bindings, the windowless samples of a frame, decibels, bands.
// The host puts this before `stft.wgsl` or `stft_registers.wgsl`.

override MEL: bool = false;
override AUGMENT: bool = false;      // for training: see struct Augment

struct Params {
    clip_samples: u32,
    frames: u32,
    rows: u32,
    hop: u32,
    lead: i32,        // samples of a frame before its own time: 0, or N_FFT / 2 when centerd
    reflect: u32,     // outside the clip: 0 zeros, 1 mirrored
    amin: f32,        // smallest power told apart; 0: a power of zero has no value
    edge_scale: f32,  // of DC and Nyquist
    inner_scale: f32, // of every other bin
    pad0: u32,
    pad1: u32,
    pad2: u32,
}

// What is done to a clip's samples before windowing: mix with the clip after it, gain (and polarity), noise; how its frames
// are taken; and a filter.
struct Augment {
    gain: f32,
    noise: f32, // amplitude of uniform noise
    mix: f32,   // share of the next clip
    seed: u32,  // of the noise
    tempo: f32, // of the frames' places
    pitch: f32, // of the samples' places about a frame's middle
    equalizer: array<f32, 6>, // dB of cos(pi k (row + 1/2) / rows), k from 1
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> pcm: array<f32>;             // [clip][sample]
@group(0) @binding(6) var<storage, read_write> db: array<f32>;        // [clip][frame][row]
@group(0) @binding(7) var<storage, read_write> range: array<atomic<u32>>; // [clip]: key of max, inverted key of min
@group(0) @binding(8) var<storage, read> augments: array<Augment>;    // [clip]

var<private> augment: Augment;
// Largest and smallest value that this invocation has written.
var<private> top: f32;
var<private> bottom: f32;

const NO_VALUE: f32 = -3.0e38;
const SMALLEST_NORMAL: f32 = 1.17549435e-38;
const SQRT_HALF: f32 = 0.70710678118654752;
const DB_PER_LOG2: f32 = 3.01029995663981195;

fn mul(x: vec2<f32>, y: vec2<f32>) -> vec2<f32> {
    return vec2<f32>(x.x * y.x - x.y * y.y, x.x * y.y + x.y * y.x);
}

// Jarzynski and Olano 2020, "Hash functions for GPU rendering": the PCG hash.
fn pcg(v: u32) -> u32 {
    let state = v * 747796405u + 2891336453u;
    let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
    return (word >> 22u) ^ word;
}

// White noise in -1..1 at one sample of the clip: a function of seed and place, so every frame sees the same.
fn white(at: u32) -> f32 {
    return f32(pcg(at + pcg(augment.seed)) >> 8u) * 1.1920928955078125e-7 - 1.0;
}

// Sample `place` of the clip, or of its surroundings.
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
        if (augment.mix > 0.0) { x = x * (1.0 - augment.mix) + pcm[index + params.clip_samples] * augment.mix; }
        x *= augment.gain;
        if (augment.noise > 0.0) { x += augment.noise * white(u32(at)); }
    }
    return select(0.0, x, inside);
}

// One sample of the frame that begins `start` samples into the clip, which begins at `base`; not windowed yet.
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

// Where a frame begins. At another tempo, frames that would lie behind the clip begin again at its start.
fn frame_start(frame: u32) -> i32 {
    var at = frame * params.hop;
    if (AUGMENT) {
        if (augment.tempo != 1.0) { at = u32(f32(at) * augment.tempo) % params.clip_samples; }
    }
    return i32(at) - params.lead;
}

// The power of a row behind the clip's filter.
fn filtered(power: f32, row: u32) -> f32 {
    if (!AUGMENT) { return power; }
    let x = 3.14159265358979 * (f32(row) + 0.5) / f32(params.rows);
    var db = 0.0;
    for (var k = 1u; k <= 6u; k++) {
        let a = augment.equalizer[k - 1u];
        if (a != 0.0) { db += a * cos(f32(k) * x); }
    }
    return power * exp2(db / DB_PER_LOG2);
}

fn decibels(power: f32) -> f32 {
    let p = max(power, params.amin);
    if (p < SMALLEST_NORMAL) { return NO_VALUE; }
    return log2(p) * DB_PER_LOG2;
}

// A u32 that orders as the f32 does, and is never 0 for a number.
fn key(v: f32) -> u32 {
    let bits = bitcast<u32>(v);
    return select(bits | 0x80000000u, ~bits, (bits & 0x80000000u) != 0u);
}

// Writes a row of the frame whose rows begin at `out`.
fn keep(out: u32, row: u32, power: f32) {
    let value = decibels(filtered(power, row));
    db[out + row] = value;
    top = max(top, value);
    if (value != NO_VALUE) { bottom = min(bottom, value); }
}

// Powers of bins k and n_fft / 2 - k, from those places of the half-length transform; w is exp(-2 pi i k / n_fft).
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
