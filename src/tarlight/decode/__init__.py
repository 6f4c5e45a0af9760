"""The decode room: encoded JPEG bytes become pixels, or a reason why not (C3, C8)."""
