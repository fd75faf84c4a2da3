//! WFDB, PhysioNet's file formats: a text header, binary signal files, binary annotation files.
//!
//! Responsible for putting header and signal files together into a [`Record`].
//! Read: single-segment records, signal formats 16 and 212, several signal files, byte offsets, skew, several samples a
//! frame (averaged, as the library's own tools do by default). Not read, and refused by name: multi-segment records and
//! other formats. Written: one signal in format 16, with annotations ([`writer`]).
//! Source: WFDB Applications Guide, `header(5)`, `signal(5)`, `annot(5)`; physionet.org.

pub mod annotation;
pub mod header;
mod samples;
pub mod writer;

use std::path::{Path, PathBuf};

use self::header::{Header, SignalSpec};
use self::samples::Codes;
use crate::record::{Checksum, Record, RecordError, Signal, millivolts_per_unit, read_bytes, read_text};

/// Reads the record whose header is at `path`.
pub(crate) fn read(path: &Path) -> Result<Record, RecordError> {
    let header = read_header(path)?;
    let mut record = Record {
        name: header.name.clone(),
        fs: header.fs,
        comments: header.comments.clone(),
        base_time: header.base_time.clone(),
        base_date: header.base_date.clone(),
        ..Record::default()
    };
    let mut rest = header.signals.as_slice();
    while let Some(first) = rest.first() {
        // Neighbouring lines that name one file are one group: their samples are interleaved in it.
        let members = rest.iter().take_while(|spec| spec.file == first.file).count();
        let (group, others) = rest.split_at(members);
        read_group(path, &header, group, &mut record)?;
        rest = others;
    }
    let lengths: Vec<usize> = record.signals.iter().map(|signal| signal.samples.len()).collect();
    if lengths.iter().any(|length| Some(length) != lengths.first()) {
        return Err(RecordError::content(
            path,
            format!("its signal files hold different numbers of samples ({lengths:?}); fetch the record again"),
        ));
    }
    Ok(record)
}

/// Reads and parses a header file.
pub(crate) fn read_header(path: &Path) -> Result<Header, RecordError> {
    Header::parse(&read_text(path)?).map_err(|e| RecordError::line(path, e.line, e.problem))
}

fn read_group(path: &Path, header: &Header, group: &[SignalSpec], record: &mut Record) -> Result<(), RecordError> {
    let file = signal_file(path, &group[0].file)?;
    if group.iter().any(|spec| spec.format != group[0].format) {
        return Err(RecordError::content(path, format!("two formats for one file, {}", group[0].file)));
    }
    let bytes = read_bytes(&file)?;
    let codes = samples::read(&bytes, group, header.samples).map_err(|problem| RecordError::content(&file, problem))?;
    for (spec, codes) in group.iter().zip(codes) {
        let signal = to_signal(spec, &codes);
        if let Checksum::Mismatch { header, data } = signal.checksum {
            record.warnings.push(format!(
                "{}: signal {:?} sums to {data}, its header says {header}: the file is damaged or was edited",
                file.display(),
                spec.description
            ));
        }
        record.signals.push(signal);
    }
    Ok(())
}

/// Resolves the name of a signal file beside its header; a header may not lead out of its own folder.
fn signal_file(header: &Path, name: &str) -> Result<PathBuf, RecordError> {
    use std::path::Component;
    if name == "-" || name == "~" {
        return Err(RecordError::content(header, "its signals are in no file (`-` or `~`): nothing to read"));
    }
    if !Path::new(name).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Err(RecordError::content(header, format!("its signal file {name:?} lies outside its own folder")));
    }
    Ok(header.with_file_name("").join(name))
}

/// Codes to physical units: `(code − baseline) / gain`, then to millivolts where the units are a voltage.
fn to_signal(spec: &SignalSpec, codes: &Codes) -> Signal {
    let scale = millivolts_per_unit(&spec.units).unwrap_or(1.0);
    let physical = |code: f64| (code - f64::from(spec.baseline)) / spec.gain * scale;
    let rails = spec.rails(&codes.raw);
    let clipped = match rails {
        Some((low, high)) => codes.raw.iter().map(|&code| code <= low || code >= high).collect(),
        None => Vec::new(),
    };
    let checksum = match spec.checksum {
        None => Checksum::Absent,
        Some(header) if header == codes.sum => Checksum::Verified,
        Some(header) => Checksum::Mismatch { header, data: codes.sum },
    };
    Signal {
        name: spec.description.clone(),
        units: spec.units.clone(),
        samples: codes.frames.iter().map(|&code| physical(code)).collect(),
        clipped,
        step: Some(scale / spec.gain.abs()),
        calibrated: spec.calibrated,
        checksum,
    }
}
