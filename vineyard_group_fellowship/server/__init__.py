"""The web server: granian with an adapter to WSGI; `python -m vineyard_group_fellowship.server`.

gunicorn serves the same application (gunicorn.conf.py), behind a proxy that buffers.
"""
