//! The matrix product, by the crate `gemm`.

use gemm::Parallelism;

/// A view of a matrix: its values, and the steps from row to row and from column to column.
pub type Matrix<'a> = (&'a [f32], [usize; 2]);

/// As [`Matrix`], for the result.
pub type MatrixMut<'a> = (&'a mut [f32], [usize; 2]);

/// Computes `out = a b`, or `out += a b` if `add`, of matrices with the sizes `[m, n]`, `[m, k]`
/// and `[k, n]`.
#[allow(unsafe_code, reason = "gemm takes pointers")]
pub fn product(
    (out, [out_row, out_column]): MatrixMut<'_>,
    (a, [a_row, a_column]): Matrix<'_>,
    (b, [b_row, b_column]): Matrix<'_>,
    [m, n, k]: [usize; 3],
    add: bool,
) {
    if m == 0 || n == 0 || k == 0 {
        return;
    }
    let last = |rows: usize, row: usize, columns: usize, column: usize| {
        (rows - 1) * row + (columns - 1) * column
    };
    assert!(last(m, out_row, n, out_column) < out.len());
    assert!(last(m, a_row, k, a_column) < a.len());
    assert!(last(k, b_row, n, b_column) < b.len());
    // SAFETY: every element that is read or written lies within its slice, as was just asserted;
    // `out` is borrowed exclusively, so it overlaps neither of the others; strides are those of
    // real slices and fit into isize.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            out_column as isize,
            out_row as isize,
            add,
            a.as_ptr(),
            a_column as isize,
            a_row as isize,
            b.as_ptr(),
            b_column as isize,
            b_row as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}
