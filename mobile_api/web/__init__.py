"""The thin layer between aiohttp and the views: typed operations, problems, OpenAPI, limits."""
