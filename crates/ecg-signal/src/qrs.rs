//! Streaming detection of QRS complexes.
