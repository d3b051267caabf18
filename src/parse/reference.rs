//! The slow, obvious twin of [`super::scan`].
