//! runs a Plan: order, parallelism, retries, cancel, cleanup; speaks only in events.
