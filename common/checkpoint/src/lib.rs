//! Remote stores of positions.
