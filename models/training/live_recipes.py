"""The trainings that can be watched, by name."""

from models.training import live_airline, live_hello
from models.training.live import Recipe

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe for recipe in (live_hello.RECIPE, *live_airline.RECIPES)
}
