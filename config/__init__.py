"""What may be tuned: settings, service items, bundles, departments, certificates, calendar, roles. Data as TOML."""
