"""`readout openapi`: the OpenAPI document."""

import click


@click.command()
@click.option("--format", "form", type=click.Choice(["yaml", "json"]), default="yaml")
def openapi(form: str) -> None:
    """Print the OpenAPI document, as it stands in openapi.yaml."""
    from api import create_app
    from api.routes.service import as_json, as_yaml

    app = create_app()
    render = as_yaml if form == "yaml" else as_json
    click.echo(render(app.extensions["readout"]), nl=False)


COMMANDS = (openapi,)
