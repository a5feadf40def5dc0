//! Principal component analysis.

use nalgebra::{DMatrix, DVector, SymmetricEigen};

/// Vectors along the directions in which they differ most.
#[derive(Debug)]
pub(super) struct Projection {
    /// Each vector's coordinates, those of the widest direction first. Empty for a vector that has
    /// another length than the first one, or numbers that are not finite.
    pub coordinates: Vec<Vec<f32>>,
    /// The fraction of the whole variance that each direction holds.
    pub shares: Vec<f64>,
}

/// Projects vectors on their first `components` principal components. Returns `None` if they do
/// not differ.
pub(super) fn project(vectors: &[&[f32]], components: usize) -> Option<Projection> {
    let len = vectors.iter().find(|v| is_finite(v))?.len();
    let usable = |v: &[f32]| v.len() == len && is_finite(v);
    let column = |v: &[f32]| DVector::from_iterator(len, v.iter().map(|&x| f64::from(x)));
    let used = || vectors.iter().filter(|v| usable(v)).map(|v| column(v));
    let count = used().count() as f64;
    let mean = used().fold(DVector::zeros(len), |sum, v| sum + v) / count;
    let mut covariance = DMatrix::zeros(len, len);
    for v in used() {
        let v = v - &mean;
        // Fills the lower triangle, which is all that the decomposition reads.
        covariance.syger(1.0 / count, &v, &v, 1.0);
    }
    let whole = covariance.trace();
    // Rounding alone gives some 1e-15 of the squared length.
    if whole.partial_cmp(&(1e-12 * (1.0 + mean.norm_squared())))
        != Some(std::cmp::Ordering::Greater)
    {
        return None;
    }
    let eigen = SymmetricEigen::new(covariance);
    let mut order: Vec<usize> = (0..len).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
    order.truncate(components);
    let axes: Vec<DVector<f64>> = order
        .iter()
        .map(|&i| {
            let axis = eigen.eigenvectors.column(i).into_owned();
            // An axis has no sign of its own: its largest number is positive.
            let sign = axis[axis.iamax()].signum();
            axis * sign
        })
        .collect();
    let coordinates = vectors.iter().map(|v| match usable(v) {
        true => {
            let v = column(v) - &mean;
            axes.iter().map(|axis| axis.dot(&v) as f32).collect()
        }
        false => Vec::new(),
    });
    Some(Projection {
        coordinates: coordinates.collect(),
        shares: order
            .iter()
            .map(|&i| eigen.eigenvalues[i].max(0.0) / whole)
            .collect(),
    })
}

fn is_finite(vector: &[f32]) -> bool {
    !vector.is_empty() && vector.iter().all(|x| x.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_direction_comes_first() {
        // Along (3, 4) / 5 with a variance of 2, across it with 0.5.
        let points: Vec<[f32; 2]> = [(2.0, 0.0), (-2.0, 0.0), (0.0, 1.0), (0.0, -1.0)]
            .iter()
            .map(|(a, b)| [7.0 + 0.6 * a - 0.8 * b, -1.0 + 0.8 * a + 0.6 * b])
            .collect();
        let vectors: Vec<&[f32]> = points.iter().map(|p| &p[..]).collect();
        let found = project(&vectors, 5).unwrap();
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-5, "{a} {b}");
        close(found.shares[0], 0.8);
        close(found.shares[1], 0.2);
        let want = [[2.0, 0.0], [-2.0, 0.0], [0.0, -1.0], [0.0, 1.0]];
        for (got, want) in found.coordinates.iter().zip(want) {
            close(f64::from(got[0]), want[0]);
            close(f64::from(got[1]).abs(), f64::abs(want[1]));
        }
        assert_eq!(found.coordinates, project(&vectors, 5).unwrap().coordinates);
    }

    #[test]
    fn odd_vectors_get_no_place() {
        let vectors: [&[f32]; 5] = [&[f32::NAN, 0.0], &[1.0, 2.0], &[2.0, 1.0], &[1.0], &[]];
        let found = project(&vectors, 2).unwrap();
        let places: Vec<usize> = found.coordinates.iter().map(Vec::len).collect();
        assert_eq!(places, [0, 2, 2, 0, 0]);
    }

    #[test]
    fn what_does_not_differ_has_no_map() {
        assert!(project(&[], 2).is_none());
        assert!(project(&[&[], &[]], 2).is_none());
        assert!(project(&[&[1.0, 2.0]], 2).is_none());
        assert!(project(&[&[0.1; 200][..]; 50], 2).is_none());
        // One number per vector gives one direction.
        let found = project(&[&[1.0], &[2.0]], 2).unwrap();
        assert_eq!(found.shares, [1.0]);
    }
}
