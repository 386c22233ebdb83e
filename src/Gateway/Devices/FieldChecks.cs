using System.Buffers;
using Muster.Domain;

namespace Muster.Gateway.Devices;

/// <summary>Collects every problem of one message, so that its author sees all of them at once.</summary>
internal struct FieldChecks
{
    /// <summary>A rejection is for people; the first problems are enough to find the cause.</summary>
    private const int ProblemsMax = 8;

    private static readonly SearchValues<char> LowerHex = SearchValues.Create("0123456789abcdef");

    private List<string>? _problems;

    public void Text(string value, string field, int lengthMin, int lengthMax)
    {
        if (value.Length < lengthMin || value.Length > lengthMax)
        {
            Add(lengthMin == 0 ? $"{field} has more than {lengthMax} characters" : $"{field} needs {lengthMin} to {lengthMax} characters");
        }
        else if (HasControl(value))
        {
            Add($"{field} has control characters");
        }
    }

    public void Require(bool condition, string problem)
    {
        if (!condition)
        {
            Add(problem);
        }
    }

    public static bool IsLowerHex(string value, int length) => value.Length == length && !value.AsSpan().ContainsAnyExcept(LowerHex);

    public readonly FleetError? ToError() =>
        _problems is null ? null : DeviceMessageErrors.PayloadInvalid(string.Join("; ", _problems) + ".");

    private static bool HasControl(string value)
    {
        foreach (var c in value)
        {
            if (char.IsControl(c))
            {
                return true;
            }
        }

        return false;
    }

    private void Add(string problem)
    {
        _problems ??= [];
        if (_problems.Count < ProblemsMax)
        {
            _problems.Add(problem);
        }
    }
}
