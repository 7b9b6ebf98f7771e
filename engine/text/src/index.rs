//! Structural index: 64-byte blocks to the positions of delimiters and line ends outside quotes.
