"""The pretend outside world: WeChat platform, departments, phones. Demo and tests only; reached as the real ones are."""
