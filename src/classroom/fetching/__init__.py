"""Published data, downloaded, unpacked, checked, and put into their place whole or not at all."""
