# kiln-test: -inspect
locals {
  fingerprint = packer.versionFingerprint
  old_name    = packer.iterationID
}
