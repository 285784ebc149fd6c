//! Dictionaries of a stripe: different texts in ascending order, and for each row the rank of its text.
//!
//! Who has codes gives them with a table of ranks; otherwise the ranks are found here. Neither how codes were given out nor
//! how rows are cut shows in the ranks.

use crate::{
    error::OrcError,
    slice::{Codes, ColumnSlice, Nulls, Texts, Values},
};
use arrow_buffer::NullBuffer;
use std::collections::HashMap;

/// The rank of a null.
pub(crate) const NO_RANK: u32 = u32::MAX;

/// A column of a stripe as ranks of sorted texts.
#[derive(Clone, Debug)]
pub struct Dictionary<'a> {
    pub(crate) values: Vec<&'a [u8]>,
    pub(crate) slices: Vec<RankedSlice<'a>>,
    /// Whether rows may be null.
    pub(crate) nulls: bool,
}

/// Ranks of consecutive rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RankedSlice<'a> {
    pub(crate) rows: usize,
    pub(crate) ranks: Ranks<'a>,
    pub(crate) nulls: NullCodes<'a>,
}

/// Which rows of a slice of codes are null.
#[derive(Clone, Copy, Debug)]
pub(crate) enum NullCodes<'a> {
    None,
    /// Those of code 0. A row of another code without a rank is an error.
    Zero,
    /// Those of codes without a rank, and those that a mask says are null.
    NoRank(Option<&'a NullBuffer>),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Ranks<'a> {
    Nulls,
    Constant(u32),
    /// Code by row, rank by code.
    Codes(Codes<'a>, &'a [u32]),
}

impl<'a> Dictionary<'a> {
    /// A dictionary of these texts, for no rows yet.
    ///
    /// # Errors
    /// If the texts do not ascend, by unsigned bytes, or one stands twice.
    pub fn try_new(values: &[&'a str]) -> Result<Self, OrcError> {
        if let Some(at) = values.windows(2).position(|pair| pair[0] >= pair[1]) {
            return Err(OrcError::mismatch(format!("value {} of the dictionary is not above the one before", at + 1)));
        }
        let values: Vec<_> = values.iter().map(|value| value.as_bytes()).collect();
        if u32::try_from(values.len()).is_ok_and(|length| length < NO_RANK) {
            Ok(Self { values, slices: Vec::new(), nulls: true })
        } else {
            Err(OrcError::limit("a dictionary has less than 2^32 - 1 values"))
        }
    }

    /// Adds rows by codes; `ranks` has the rank of each code's text. Code 0 is null if its rank is [`u32::MAX`]; any other
    /// code with that rank is no row's.
    ///
    /// # Errors
    /// If a rank is none of the dictionary.
    pub fn push_codes(&mut self, codes: &'a [u16], ranks: &'a [u32]) -> Result<(), OrcError> {
        if ranks.iter().any(|rank| *rank != NO_RANK && *rank as usize >= self.values.len()) {
            return Err(OrcError::mismatch("a rank is none of the dictionary"));
        }
        let nulls = if ranks.first() == Some(&NO_RANK) { NullCodes::Zero } else { NullCodes::None };
        let ranks = Ranks::Codes(Codes::U16(codes), ranks);
        self.slices.push(RankedSlice { rows: codes.len(), ranks, nulls });
        Ok(())
    }

    /// Adds rows that have the text of one rank.
    ///
    /// # Errors
    /// If the rank is none of the dictionary.
    pub fn push_constant(&mut self, rank: u32, rows: usize) -> Result<(), OrcError> {
        if rank as usize >= self.values.len() {
            return Err(OrcError::mismatch("a rank is none of the dictionary"));
        }
        self.slices.push(RankedSlice { rows, ranks: Ranks::Constant(rank), nulls: NullCodes::None });
        Ok(())
    }

    /// States that no row is null, which saves looking at each. A row without a rank is an error then.
    #[must_use]
    pub fn without_nulls(mut self) -> Self {
        self.nulls = false;
        self
    }

    /// Adds rows that are null.
    pub fn push_nulls(&mut self, rows: usize) {
        self.slices.push(RankedSlice { rows, ranks: Ranks::Nulls, nulls: NullCodes::None });
    }
}

/// A dictionary that was made of slices; owns what they do not have.
#[derive(Debug)]
pub(crate) struct MadeDictionary<'a> {
    values: Vec<&'a [u8]>,
    slices: Vec<MadeSlice<'a>>,
}

#[derive(Debug)]
struct MadeSlice<'a> {
    rows: usize,
    codes: MadeCodes<'a>,
    ranks: Vec<u32>,
    mask: Option<&'a NullBuffer>,
}

#[derive(Debug)]
enum MadeCodes<'a> {
    Nulls,
    Given(Codes<'a>, Texts<'a>, Option<&'a NullBuffer>),
    /// Numbers of texts in the order in which they were met, from 1; 0 for null.
    Met(Vec<u32>),
}

/// When a dictionary of plain texts is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Never.
    Endless,
    /// If more than half of the texts are different, of so many first rows or of all.
    Rows(usize),
}

impl<'a> MadeDictionary<'a> {
    /// Makes the dictionary of a column's slices; `None` if it was given up.
    pub(crate) fn of(slices: &[ColumnSlice<'a>], patience: Patience) -> Result<Option<Self>, OrcError> {
        let mut met = Met::default();
        let mut made = Self { values: Vec::new(), slices: Vec::with_capacity(slices.len()) };
        for slice in slices {
            let mask = if let Nulls::Mask(mask) = slice.nulls { Some(mask) } else { None };
            let codes = match &slice.values {
                Values::Codes(codes, texts, null_texts) => MadeCodes::Given(*codes, *texts, *null_texts),
                Values::Texts(texts) => match met.codes(slice, texts, patience)? {
                    Some(codes) => MadeCodes::Met(codes),
                    None => return Ok(None),
                },
                _ => MadeCodes::Nulls,
            };
            made.slices.push(MadeSlice { rows: slice.rows, codes, ranks: Vec::new(), mask });
        }
        if let Patience::Rows(_) = patience
            && met.too_many()
        {
            return Ok(None);
        }
        made.rank(&met.texts)?;
        Ok(Some(made))
    }

    /// Gives texts their ranks.
    fn rank(&mut self, met: &[&'a [u8]]) -> Result<(), OrcError> {
        // Each used text with the place that its rank goes to: slice and code.
        let mut used: Vec<(&'a [u8], usize, usize)> = Vec::new();
        let met_slice = self.slices.iter().position(|slice| matches!(slice.codes, MadeCodes::Met(_)));
        for (number, slice) in self.slices.iter_mut().enumerate() {
            match &slice.codes {
                MadeCodes::Nulls => {}
                MadeCodes::Given(codes, texts, null_texts) => {
                    let present = used_codes(codes, slice.mask, slice.rows)?;
                    slice.ranks = vec![NO_RANK; present.len()];
                    let present = present.into_iter().enumerate().filter(|(_, used)| *used).map(|(code, _)| code);
                    let present = present.filter(|code| null_texts.is_none_or(|nulls| nulls.is_valid(*code)));
                    used.extend(present.map(|code| (texts.value(code), number, code)));
                }
                MadeCodes::Met(_) => {
                    slice.ranks = vec![NO_RANK; met.len() + 1];
                    if Some(number) == met_slice {
                        used.extend((1..).zip(met).map(|(code, text)| (*text, number, code)));
                    }
                }
            }
        }
        used.sort_unstable();
        for (text, slice, code) in used {
            if self.values.last() != Some(&text) {
                self.values.push(text);
            }
            let rank = u32::try_from(self.values.len() - 1).ok().filter(|rank| *rank < NO_RANK);
            let rank = rank.ok_or_else(|| OrcError::limit("a dictionary has less than 2^32 - 1 values"))?;
            self.slices[slice].ranks[code] = rank;
        }
        // Slices of plain texts share their codes.
        if let Some(first) = met_slice {
            let ranks = self.slices[first].ranks.clone();
            let others = self.slices[first + 1..].iter_mut().filter(|slice| matches!(slice.codes, MadeCodes::Met(_)));
            others.for_each(|slice| slice.ranks.clone_from(&ranks));
        }
        Ok(())
    }

    /// The dictionary as the encoder takes it.
    pub(crate) fn as_dictionary(&self) -> Dictionary<'_> {
        let slices = self.slices.iter().map(|slice| {
            let (ranks, nulls) = match &slice.codes {
                MadeCodes::Nulls => (Ranks::Nulls, NullCodes::None),
                MadeCodes::Given(codes, _, _) => (Ranks::Codes(*codes, &slice.ranks), NullCodes::NoRank(slice.mask)),
                MadeCodes::Met(codes) => (Ranks::Codes(Codes::U32(codes), &slice.ranks), NullCodes::Zero),
            };
            RankedSlice { rows: slice.rows, ranks, nulls }
        });
        Dictionary { values: self.values.clone(), slices: slices.collect(), nulls: true }
    }
}

/// Texts in the order in which they were met.
#[derive(Debug, Default)]
struct Met<'a> {
    codes: HashMap<&'a [u8], u32>,
    texts: Vec<&'a [u8]>,
    /// Texts looked up, repeated ones included.
    seen: usize,
    last: Option<(&'a [u8], u32)>,
}

impl<'a> Met<'a> {
    fn codes(
        &mut self,
        slice: &ColumnSlice<'a>,
        texts: &Texts<'a>,
        patience: Patience,
    ) -> Result<Option<Vec<u32>>, OrcError> {
        let mut codes = Vec::with_capacity(slice.rows);
        for row in 0..slice.rows {
            let null = match slice.nulls {
                Nulls::None => false,
                Nulls::All => true,
                Nulls::Mask(mask) => mask.is_null(row),
                Nulls::Empty => texts.length(row) == 0,
            };
            codes.push(if null { 0 } else { self.code(texts.value(row))? });
            if patience == Patience::Rows(self.seen) && self.too_many() {
                return Ok(None);
            }
        }
        Ok(Some(codes))
    }

    fn code(&mut self, text: &'a [u8]) -> Result<u32, OrcError> {
        self.seen += 1;
        if let Some((last, code)) = self.last
            && last == text
        {
            return Ok(code);
        }
        let next = u32::try_from(self.texts.len() + 1).ok().filter(|code| *code < NO_RANK);
        let next = next.ok_or_else(|| OrcError::limit("a dictionary has less than 2^32 - 1 values"))?;
        let code = *self.codes.entry(text).or_insert(next);
        if code == next {
            self.texts.push(text);
        }
        self.last = Some((text, code));
        Ok(code)
    }

    fn too_many(&self) -> bool {
        self.texts.len() * 2 > self.seen
    }
}

/// Which codes rows have that are not null; as long as the largest of them says.
fn used_codes(codes: &Codes<'_>, mask: Option<&NullBuffer>, rows: usize) -> Result<Vec<bool>, OrcError> {
    let mut used = Vec::new();
    let mut mark = |code: Option<usize>| -> Result<(), OrcError> {
        let code = code.ok_or_else(|| OrcError::mismatch("a code of a dictionary is negative"))?;
        if code >= used.len() {
            used.resize(code + 1, false);
        }
        used[code] = true;
        Ok(())
    };
    for row in (0..rows).filter(|row| mask.is_none_or(|mask| mask.is_valid(*row))) {
        mark(match codes {
            Codes::U16(codes) => Some(usize::from(codes[row])),
            Codes::U32(codes) => Some(codes[row] as usize),
            Codes::I32(codes) => usize::try_from(codes[row]).ok(),
        })?;
    }
    Ok(used)
}
