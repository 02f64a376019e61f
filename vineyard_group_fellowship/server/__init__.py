"""The web server: granian with an adapter to WSGI. serve.py starts it.

gunicorn serves the same application (gunicorn.conf.py), behind a proxy that buffers.
"""
