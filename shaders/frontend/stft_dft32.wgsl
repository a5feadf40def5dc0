// The transform of 32 points in an invocation's registers, as 4 x 8. The kernel defines `point`,
// one complex number or two side by side, and `down`, which multiplies it by -i.

var<private> all: array<point, 32>;

// Cosines of 2 pi i / 32.
const K1: f32 = 0.98078528040323043;
const K2: f32 = 0.92387953251128674;
const K3: f32 = 0.83146961230254524;
const K5: f32 = 0.55557023301960229;
const K6: f32 = 0.38268343236508984;
const K7: f32 = 0.19509032201612833;

fn turn(x: point, re: f32, minus_im: f32) -> point { return x * re + down(x) * minus_im; }

fn dft4(a: point, b: point, c: point, d: point) -> array<point, 4> {
    let ac = a + c;
    let bd = b + d;
    let a_c = a - c;
    let b_d = down(b - d);
    return array<point, 4>(ac + bd, a_c + b_d, ac - bd, a_c - b_d);
}

fn dft8(
    a: point, b: point, c: point, d: point, e: point, f: point, g: point, h: point,
) -> array<point, 8> {
    let even = dft4(a + e, b + f, c + g, d + h);
    let odd = dft4(
        a - e, turn(b - f, SQRT_HALF, SQRT_HALF),
        down(c - g), turn(d - h, -SQRT_HALF, SQRT_HALF),
    );
    return array<point, 8>(even[0], odd[0], even[1], odd[1], even[2], odd[2], even[3], odd[3]);
}

// The transform of `all`, in place: 4 x 8.
fn dft32() {
    let a0 = dft4(all[0], all[8], all[16], all[24]);
    let a1 = dft4(all[1], all[9], all[17], all[25]);
    let a2 = dft4(all[2], all[10], all[18], all[26]);
    let a3 = dft4(all[3], all[11], all[19], all[27]);
    let a4 = dft4(all[4], all[12], all[20], all[28]);
    let a5 = dft4(all[5], all[13], all[21], all[29]);
    let a6 = dft4(all[6], all[14], all[22], all[30]);
    let a7 = dft4(all[7], all[15], all[23], all[31]);
    let b0 = dft8(
        a0[0], a1[0], a2[0], a3[0],
        a4[0], a5[0], a6[0], a7[0],
    );
    let b1 = dft8(
        a0[1], turn(a1[1], K1, K7), turn(a2[1], K2, K6), turn(a3[1], K3, K5),
        turn(a4[1], SQRT_HALF, SQRT_HALF), turn(a5[1], K5, K3),
        turn(a6[1], K6, K2), turn(a7[1], K7, K1),
    );
    let b2 = dft8(
        a0[2], turn(a1[2], K2, K6), turn(a2[2], SQRT_HALF, SQRT_HALF), turn(a3[2], K6, K2),
        down(a4[2]), turn(a5[2], -K6, K2), turn(a6[2], -SQRT_HALF, SQRT_HALF), turn(a7[2], -K2, K6),
    );
    let b3 = dft8(
        a0[3], turn(a1[3], K3, K5), turn(a2[3], K6, K2), turn(a3[3], -K7, K1),
        turn(a4[3], -SQRT_HALF, SQRT_HALF), turn(a5[3], -K1, K7),
        turn(a6[3], -K2, -K6), turn(a7[3], -K5, -K3),
    );
    all[0] = b0[0];  all[1] = b1[0];  all[2] = b2[0];  all[3] = b3[0];
    all[4] = b0[1];  all[5] = b1[1];  all[6] = b2[1];  all[7] = b3[1];
    all[8] = b0[2];  all[9] = b1[2];  all[10] = b2[2];  all[11] = b3[2];
    all[12] = b0[3];  all[13] = b1[3];  all[14] = b2[3];  all[15] = b3[3];
    all[16] = b0[4];  all[17] = b1[4];  all[18] = b2[4];  all[19] = b3[4];
    all[20] = b0[5];  all[21] = b1[5];  all[22] = b2[5];  all[23] = b3[5];
    all[24] = b0[6];  all[25] = b1[6];  all[26] = b2[6];  all[27] = b3[6];
    all[28] = b0[7];  all[29] = b1[7];  all[30] = b2[7];  all[31] = b3[7];
}
