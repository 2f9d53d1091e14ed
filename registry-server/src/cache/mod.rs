//! Small values, best effort. Holds what it does not understand.
