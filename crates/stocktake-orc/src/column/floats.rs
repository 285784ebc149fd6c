//! Columns of floating-point values, as they lie in memory of a little-endian machine.

use super::{ColumnEncoder, ColumnPlan, Encoded, Encoding, StripeParts, groups};
use crate::{
    compress::ValueKind,
    error::OrcError,
    present::for_each_run,
    slice::{ColumnSlice, Values},
    statistics::Typed,
    stream::PositionKind,
};

impl ColumnEncoder {
    pub(super) fn encode_floats(
        &mut self,
        plan: &mut ColumnPlan,
        slices: &[ColumnSlice<'_>],
        rows: usize,
        nulls: usize,
        parts: &mut StripeParts,
    ) -> Result<Encoded, OrcError> {
        self.data.begin(ValueKind::Words, &self.codec, &parts.data);
        for group in groups(rows, self.stride) {
            self.data.mark(&parts.data);
            self.encoded.clear();
            let mut known = Doubles::default();
            let (encoded, bloom) = (&mut self.encoded, &mut plan.bloom);
            let present = (nulls > 0).then_some(&self.present);
            for_each_run(slices, present, group.clone(), |slice, run, _| {
                let mut add = |value: f64| {
                    known.add(value);
                    if let Some(bloom) = bloom {
                        bloom.add_double(value);
                    }
                };
                match &slice.values {
                    Values::Float(values) => values[run].iter().for_each(|value| {
                        encoded.extend_from_slice(&value.to_le_bytes());
                        add(f64::from(*value));
                    }),
                    Values::Double(values) => values[run].iter().for_each(|value| {
                        encoded.extend_from_slice(&value.to_le_bytes());
                        add(*value);
                    }),
                    _ => {}
                }
                Ok::<(), OrcError>(())
            })?;
            self.data.push(&self.encoded, &mut self.codec, &mut parts.data)?;
            self.end_group(plan, &group, known.values, known.typed());
        }
        self.end_data(plan, parts)?;
        Ok(Encoded { encoding: Encoding::Direct, dictionary_size: None, data: PositionKind::Byte, second: None })
    }
}

/// Statistics of floating-point values.
#[derive(Debug, Default)]
struct Doubles {
    values: usize,
    extremes: Option<(f64, f64)>,
    sum: f64,
}

impl Doubles {
    fn add(&mut self, value: f64) {
        self.values += 1;
        self.sum += value;
        // What is no number is neither above nor below others, and readers differ in where they take it to stand.
        let (low, high) = if value.is_nan() { (f64::NEG_INFINITY, f64::INFINITY) } else { (value, value) };
        let (min, max) = self.extremes.get_or_insert((low, high));
        *min = min.min(low);
        *max = max.max(high);
    }

    /// Zeros as bounds have the sign that includes the other zero.
    fn typed(&self) -> Typed {
        let min = |min: f64| if min == 0.0 { -0.0 } else { min };
        let max = |max: f64| if max == 0.0 { 0.0 } else { max };
        Typed::Doubles { extremes: self.extremes.map(|(low, high)| (min(low), max(high))), sum: self.sum }
    }
}
