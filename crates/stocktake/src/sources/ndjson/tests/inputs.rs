//! Files and streams, plain and compressed: the same rows with the same line numbers, wherever seams fall.

use super::*;
use flate2::{Compression as Level, write::GzEncoder};
use std::io::Cursor;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Level::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

/// Gives out its bytes in small portions, as a pipe may.
struct Portions(Cursor<Vec<u8>>, usize);

impl Read for Portions {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let bytes = self.1.min(into.len());
        self.0.read(&mut into[..bytes])
    }
}

fn portions(bytes: Vec<u8>, portion_bytes: usize) -> Portions {
    Portions(Cursor::new(bytes), portion_bytes)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn values_and_line_numbers_come_in_order_wherever_seams_fall(
        rows in rows(), seed in any::<u64>(), piece_bytes in prop_oneof![1usize..40, 40usize..4000], threads in 1usize..5,
    ) {
        let (text, numbers) = dump(&rows, seed);
        let expected = expected(&rows, &numbers);
        let file = file_of(text.as_bytes());
        let mut source = NdjsonSource::try_open(file.path()).unwrap();
        source.piece_bytes = piece_bytes;
        prop_assert_eq!(&read_whole(&source, &with_threads(threads)).unwrap(), &expected);
    }

    #[test]
    fn streams_give_what_files_give(
        rows in rows(), seed in any::<u64>(), piece_bytes in prop_oneof![1usize..40, 40usize..4000], threads in 1usize..5,
        portion_bytes in 1usize..50, cut in any::<proptest::sample::Index>(),
    ) {
        let (text, numbers) = dump(&rows, seed);
        let expected = expected(&rows, &numbers);
        let (front, back) = text.as_bytes().split_at(cut.index(text.len() + 1));
        let streams = [
            text.clone().into_bytes(),
            [gzip(front), gzip(back)].concat(),
            [zstd(front), zstd(back)].concat(),
        ];
        for bytes in streams {
            let mut source = NdjsonSource::try_from_reader("x", portions(bytes.clone(), portion_bytes)).unwrap();
            source.piece_bytes = piece_bytes;
            prop_assert_eq!(&read_whole(&source, &with_threads(threads)).unwrap(), &expected);
            let file = file_of(&bytes);
            let mut source = NdjsonSource::try_open(file.path()).unwrap();
            source.piece_bytes = piece_bytes;
            for _ in 0..2 {
                prop_assert_eq!(&read_whole(&source, &with_threads(threads)).unwrap(), &expected);
            }
        }
    }

    #[test]
    fn decoders_are_fed_in_small_portions(rows in rows(), seed in any::<u64>(), intake_bytes in 1usize..30) {
        let (text, _) = dump(&rows, seed);
        for bytes in [[gzip(text.as_bytes()), gzip(b"\n")].concat(), [zstd(text.as_bytes()), zstd(b"\n")].concat()] {
            let mut input = Input::with_intake_bytes(Box::new(Cursor::new(bytes)), intake_bytes).unwrap();
            let (mut decoded, mut some) = (Vec::new(), [0; 64]);
            loop {
                match input.read(&mut some, Some(&context())).unwrap() {
                    0 => break,
                    taken => decoded.extend_from_slice(&some[..taken]),
                }
            }
            prop_assert_eq!(String::from_utf8(decoded).unwrap(), text.trim_start_matches('\u{FEFF}').to_owned() + "\n");
        }
    }

    #[test]
    fn compressed_data_that_are_cut_short_are_refused(rows in rows(), seed in any::<u64>(), cut in any::<proptest::sample::Index>()) {
        let (text, _) = dump(&rows, seed);
        for whole in [gzip(text.as_bytes()), zstd(text.as_bytes())] {
            // Four bytes tell what it is.
            let cut_short = &whole[..4 + cut.index(whole.len() - 4)];
            for bytes in [cut_short.to_vec(), [&whole, cut_short].concat()] {
                let file = file_of(&bytes);
                let result = NdjsonSource::try_open(file.path()).and_then(|source| read_whole(&source, &context()));
                prop_assert_eq!(result.unwrap_err().kind(), SourceErrorKind::Unreadable);
            }
        }
    }
}

fn many(rows: usize) -> String {
    (0..rows).map(|row| format!("{{\"key\":\"k{row:08}\",\"size\":{row}}}\n")).collect()
}

#[test]
fn damage_behind_the_front_is_told_with_the_line_before_it() {
    let text = many(60_000);
    for (bytes, what) in [(gzip(text.as_bytes()), "gzip"), (zstd(text.as_bytes()), "zstd")] {
        let file = file_of(&bytes[..bytes.len() - 5]);
        let source = NdjsonSource::try_open(file.path()).unwrap();
        let error = read_whole(&source, &with_threads(2)).unwrap_err();
        assert_eq!(error.kind(), SourceErrorKind::Unreadable);
        assert!(error.position().unwrap().contains(", after line "), "{error}");
        assert!(error.to_string().contains(&format!("the {what} data are damaged")), "{error}");
    }
    let garbage = [gzip(text.as_bytes()), b"garbage".to_vec()].concat();
    assert!(read_bytes(&garbage, &context()).is_err());
}

/// Bytes whose end is a panic, as a decoder's mistake would be.
struct Panics(Cursor<String>);

impl std::io::Read for Panics {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(into)? {
            0 => panic!("on purpose"),
            taken => Ok(taken),
        }
    }
}

#[test]
fn a_lost_reader_is_not_taken_for_the_end_of_the_input() {
    for threads in [1, 3] {
        // More than what is looked at when the source is opened, so that the reader's thread comes to the end.
        let source = NdjsonSource::try_from_reader("x", Panics(Cursor::new(many(60_000)))).unwrap();
        let error = read_whole(&source, &with_threads(threads)).unwrap_err();
        assert_eq!(error.kind(), SourceErrorKind::Unreadable);
        let told = format!("{error}: {}", std::error::Error::source(&error).unwrap());
        assert!(told.ends_with("the input could not be read: the thread that reads it was lost"), "{told}");
    }
}

#[test]
fn a_zstd_window_that_takes_much_memory_is_refused() {
    for (window_log, taken) in [(23, true), (24, false)] {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(window_log).unwrap();
        encoder.write_all(many(10).as_bytes()).unwrap();
        match read_bytes(&encoder.finish().unwrap(), &context()) {
            Ok(rows) => assert!(taken && rows.len() == 10),
            Err(error) => assert!(!taken && error.to_string().contains("a window of more than 8 MiB"), "{error}"),
        }
    }
}

#[test]
fn many_rows_are_read_in_batches_of_bounded_size() {
    let text = many(60_000);
    let source = NdjsonSource::try_from_reader("x", portions(gzip(text.as_bytes()), 1000)).unwrap();
    let rows = read_whole(&source, &with_threads(3)).unwrap();
    assert_eq!(rows.len(), 60_000);
    assert!(
        rows.iter().enumerate().all(|(at, (line, row))| *line == at as u64 + 1 && row[&Field::Size] == at.to_string())
    );
}

#[test]
fn a_reader_can_be_opened_once() {
    let source = NdjsonSource::try_from_reader("standard input", Cursor::new(many(3))).unwrap();
    assert_eq!(source.plan(NonZeroU32::new(8).unwrap()).unwrap().lanes().len(), 1);
    assert_eq!(read_whole(&source, &context()).unwrap().len(), 3);
    let error = read_whole(&source, &context()).unwrap_err();
    assert_eq!(error.to_string(), "standard input: this input can be read only once");
}

#[test]
fn empty_inputs_have_no_rows() {
    for bytes in [b"".to_vec(), b"\n\n".to_vec(), "\u{FEFF}".into(), gzip(b""), zstd(b""), zstd(b"\n")] {
        assert_eq!(read_bytes(&bytes, &context()).unwrap(), []);
        let source = NdjsonSource::try_from_reader("x", Cursor::new(bytes)).unwrap();
        assert_eq!(source.provides(), FieldSet::REQUIRED);
        assert_eq!(read_whole(&source, &context()).unwrap(), []);
    }
}

#[test]
fn the_first_lines_say_what_is_provided() {
    let text =
        "{\"key\":\"a\",\"size\":1}\n{\"key\":\"b\",\"IsLatest\":null}\n".to_owned() + &many(2000).replace('k', "x");
    let text = text.replace("\"xey\"", "\"key\"") + "{\"key\":\"y\",\"e_tag\":\"e\"}\n";
    let file = file_of(text.as_bytes());
    let source = NdjsonSource::try_open(file.path()).unwrap();
    assert_eq!(source.provides(), FieldSet::REQUIRED.with(Field::Size).with(Field::IsLatest));
    // A field that comes only later is not lost in silence; it is read if it is asked for, and left out if others are.
    let error = read_whole(&source, &context()).unwrap_err();
    assert!(error.to_string().contains("line 2003, column 20: `ETag` has a value here"), "{error}");
    let more = NdjsonSource::try_open(file.path()).unwrap().with_more_fields(FieldSet::EMPTY.with(Field::ETag));
    assert_eq!(read_whole(&more, &context()).unwrap().last().unwrap().1[&Field::ETag], "e");
    let others = NdjsonSource::try_open(file.path()).unwrap().with_fields(FieldSet::REQUIRED);
    assert_eq!(read_whole(&others, &context()).unwrap().len(), 2003);
    let source = source.with_fields(FieldSet::EMPTY.with(Field::ETag));
    assert_eq!(source.provides(), FieldSet::REQUIRED.with(Field::ETag));
    let mut narrow = context();
    narrow.fields = source.provides();
    let rows = read_whole(&source, &narrow).unwrap();
    assert_eq!(rows[0].1.keys().copied().collect::<Vec<_>>(), [Field::Key]);
}

#[test]
fn files_that_change_are_refused() {
    for grow in [false, true] {
        for bytes in [many(100), many(100).replace('\n', "\r\n")]
            .map(String::into_bytes)
            .into_iter()
            .chain([gzip(many(100).as_bytes())])
        {
            let file = file_of(&bytes);
            let source = NdjsonSource::try_open(file.path()).unwrap();
            let length = bytes.len() as u64;
            file.as_file().set_len(if grow { length + 1 } else { length - 1 }).unwrap();
            let error = read_whole(&source, &context()).unwrap_err();
            let told = format!("{error}: {}", std::error::Error::source(&error).unwrap());
            assert!(told.contains(&format!("it had {length} bytes when it was opened")) || !grow, "{told}");
            assert_eq!(error.kind(), SourceErrorKind::Unreadable);
        }
    }
}

#[test]
fn a_cancelled_run_ends() {
    let file = file_of(many(10).as_bytes());
    let context = context();
    let source = NdjsonSource::try_open(file.path()).unwrap();
    context.cancel.cancel();
    assert_eq!(read_whole(&source, &context).unwrap_err().kind(), SourceErrorKind::Cancelled);
}

#[test]
fn directories_and_missing_files_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    for path in [directory.path().to_owned(), directory.path().join("missing")] {
        let error = NdjsonSource::try_open(&path).unwrap_err();
        assert_eq!(error.kind(), SourceErrorKind::Unreadable);
        assert!(error.to_string().starts_with(&path.display().to_string()), "{error}");
    }
}
