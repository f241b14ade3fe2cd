"""Brings files from where partners leave them (a folder, SFTP, S3, Azure Blob, HTTPS) into their inbox folders."""
