//! What one attempt may hold in memory, and where it puts what does not fit: files in a folder of the attempt, which is
//! made when the first of them is.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::error::Result as DataFusionResult;
use datafusion::execution::disk_manager::{DiskManager, DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{
    FairSpillPool, MemoryPool, TrackConsumersPool, UnboundedMemoryPool,
};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{SpillFile, TempFileFactory};

use crate::error::Result;
use crate::part::Destination;

/// How many of the largest users of memory an error names.
const NAMED_CONSUMERS: usize = 3;

/// For one attempt. None: no limit.
///
/// # Errors
/// Faults of ours.
pub(crate) fn runtime(
    destination: &Destination,
    memory_bytes: Option<usize>,
) -> Result<Arc<RuntimeEnv>> {
    let named = NonZeroUsize::new(NAMED_CONSUMERS).unwrap_or(NonZeroUsize::MIN);
    let pool: Arc<dyn MemoryPool> = match memory_bytes {
        Some(limit) => Arc::new(TrackConsumersPool::new(FairSpillPool::new(limit), named)),
        None => Arc::new(UnboundedMemoryPool::default()),
    };
    let disk = DiskManagerBuilder::default().with_temp_file_factory(Arc::new(WhenNeeded {
        folder: destination.staging_dir.clone(),
        disk: Mutex::new(None),
    }));
    Ok(Arc::new(
        RuntimeEnvBuilder::new()
            .with_memory_pool(pool)
            .with_disk_manager_builder(disk)
            .build()?,
    ))
}

/// DataFusion's own files in `folder`, whose manager would make its folder at once.
struct WhenNeeded {
    folder: PathBuf,
    disk: Mutex<Option<Arc<DiskManager>>>,
}

impl TempFileFactory for WhenNeeded {
    fn create_temp_file(&self, description: &str) -> DataFusionResult<Arc<dyn SpillFile>> {
        let mut disk = self.disk.lock().unwrap_or_else(PoisonError::into_inner);
        let disk = match &*disk {
            Some(disk) => Arc::clone(disk),
            None => {
                std::fs::create_dir_all(&self.folder)?;
                let made = DiskManagerBuilder::default()
                    .with_mode(DiskManagerMode::Directories(vec![self.folder.clone()]))
                    .with_max_temp_directory_size(u64::MAX)
                    .build()?;
                Arc::clone(disk.insert(Arc::new(made)))
            }
        };
        disk.create_tmp_file(description)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::part::Keep;

    #[test]
    fn a_folder_is_made_for_the_first_file_and_not_before() {
        let dir = tempfile::tempdir().unwrap();
        let staging_dir = dir.path().join("stage-0").join("attempt-1");
        let destination = Destination {
            staging_dir: staging_dir.clone(),
            keep: Keep::Memory,
        };
        let runtime = runtime(&destination, Some(1 << 20)).unwrap();
        assert!(!staging_dir.exists());
        let file = runtime.disk_manager.create_tmp_file("sorting").unwrap();
        assert!(file.path().unwrap().starts_with(&staging_dir));
    }
}
