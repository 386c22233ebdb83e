namespace Muster.ServiceDefaults.Health;

/// <summary>
/// Something that a host depends on for a part of its work: it stays ready without it, and says so beside its <c>ok</c>.
/// </summary>
public interface IHealthNote
{
    /// <summary>Null when there is nothing to say; else one sentence without addresses or secrets.</summary>
    string? Find();
}
