//! Bytes under keys. Knows no images, no repositories, no digests.

pub mod backend;
pub mod error;
pub mod fs;
pub mod fs_files;
pub mod fs_stream;
pub mod fs_temporary;
pub mod key;
pub mod measured;
pub mod memory;
pub mod order;
pub mod s3;
pub mod s3_client;
pub mod s3_folders;
pub mod s3_pieces;
