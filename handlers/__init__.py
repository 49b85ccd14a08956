"""What the office does: one module a noun, one function a verb. A *handler* is the work itself; an aiohttp request function is a *view*."""
