//! Nothing but its tests: the rules that every file and every dependency of this repository keeps.
