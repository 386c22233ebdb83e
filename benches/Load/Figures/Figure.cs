using System.Globalization;

namespace Muster.Load.Figures;

/// <summary>One line of a bench: <c>figure NAME VALUE UNIT GOAL ok|short</c>; without a goal it is there to be read.</summary>
/// <param name="IsOk">False when the goal is missed, and whenever the run lost something.</param>
internal sealed record Figure(string Name, double Value, string Unit, string Goal, bool IsOk)
{
    public static Figure AtLeast(string name, double value, string unit, double goal, bool isSound) =>
        new(name, value, unit, string.Create(CultureInfo.InvariantCulture, $">={goal}"), isSound && value >= goal);

    public static Figure AtMost(string name, double value, string unit, double goal, bool isSound) =>
        new(name, value, unit, string.Create(CultureInfo.InvariantCulture, $"<={goal}"), isSound && value <= goal);

    public static Figure Beside(string name, double value, string unit) => new(name, value, unit, "-", true);

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"figure {Name} {Math.Round(Value, Value < 100 ? 2 : 0)} {Unit} {Goal} {(IsOk ? "ok" : "short")}");
}
