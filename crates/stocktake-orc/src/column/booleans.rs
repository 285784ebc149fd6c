//! Columns of booleans: the bits of values that are not null.

use super::{ColumnEncoder, ColumnPlan, Encoded, Encoding, StripeParts, groups, write_bits};
use crate::{
    compress::ValueKind,
    error::OrcError,
    present::for_each_run,
    slice::{ColumnSlice, Values},
    statistics::Typed,
    stream::PositionKind,
};

impl ColumnEncoder {
    pub(super) fn encode_booleans(
        &mut self,
        plan: &mut ColumnPlan,
        slices: &[ColumnSlice<'_>],
        rows: usize,
        nulls: usize,
        parts: &mut StripeParts,
    ) -> Result<Encoded, OrcError> {
        self.bits.clear();
        let mut starts = Vec::with_capacity(rows.div_ceil(self.stride));
        for group in groups(rows, self.stride) {
            let start = self.bits.len();
            starts.push(start);
            let present = (nulls > 0).then_some(&self.present);
            let bits = &mut self.bits;
            for_each_run(slices, present, group.clone(), |slice, run, _| {
                if let Values::Boolean(values) = &slice.values {
                    bits.push_buffer(&values.slice(run.start, run.len()));
                }
                Ok::<(), OrcError>(())
            })?;
            let values = self.bits.len() - start;
            let trues = self.bits.count(start..start + values) as u64;
            self.end_group(plan, &group, values, Typed::Booleans { trues });
        }
        self.packed.clear();
        self.bits.pack(&mut self.packed);
        self.data.begin(ValueKind::Other, &self.codec, &parts.data);
        write_bits(
            &self.packed,
            starts.into_iter(),
            &mut self.data,
            &mut self.encoded,
            &mut self.codec,
            &mut parts.data,
        )?;
        self.end_data(plan, parts)?;
        Ok(Encoded { encoding: Encoding::Direct, dictionary_size: None, data: PositionKind::Bit, second: None })
    }
}
