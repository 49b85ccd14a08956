"""What the office does: one module a noun, one function a verb. A *handler* here is the work itself; an aiohttp request function is a *view*."""
