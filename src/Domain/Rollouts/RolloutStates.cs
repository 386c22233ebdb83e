namespace Muster.Domain.Rollouts;

/// <summary>Where a rollout is in its life.</summary>
public enum RolloutState
{
    /// <summary>Never stored.</summary>
    Unspecified = 0,

    /// <summary>Created; its members are not frozen and nothing is offered.</summary>
    Draft = 1,

    /// <summary>Devices are offered the change, wave by wave.</summary>
    Running = 2,

    /// <summary>An operator stopped new offers; devices in progress finish.</summary>
    Paused = 3,

    /// <summary>A gate stopped new offers; only an override with a reason goes on.</summary>
    Suspended = 4,

    /// <summary>Cancelled by an operator; waits for the devices in progress to end.</summary>
    Cancelling = 5,

    /// <summary>Terminal: every wave passed and every member has an outcome.</summary>
    Succeeded = 6,

    /// <summary>Terminal: cancelled, and no device is in progress any more.</summary>
    Cancelled = 7,
}

/// <summary>Where a wave is.</summary>
public enum WaveState
{
    /// <summary>Never stored.</summary>
    Unspecified = 0,

    /// <summary>An earlier wave has not passed yet.</summary>
    Pending = 1,

    /// <summary>Its members are offered the change.</summary>
    Running = 2,

    /// <summary>Its success gate is open; the next wave waits until the soak time is over.</summary>
    Soaking = 3,

    /// <summary>Its gate is behind it. Members without an outcome are still offered, and a late failure still counts.</summary>
    Passed = 4,

    /// <summary>One of its gates suspended the rollout.</summary>
    Suspended = 5,
}

/// <summary>What a wave waits for; several at once are possible.</summary>
public enum WaitingOn
{
    /// <summary>Never reported.</summary>
    Unspecified = 0,

    /// <summary>Not every partition has reported since the coordinator came back.</summary>
    Reports = 1,

    /// <summary>Devices in progress have no outcome yet.</summary>
    Outcomes = 2,

    /// <summary>Members without an outcome have no session.</summary>
    Offline = 3,

    /// <summary>The soak time is not over.</summary>
    Soak = 4,

    /// <summary>As many devices are in progress as the budget allows.</summary>
    Budget = 5,

    /// <summary>As many devices were offered in the last 60 s as the rate allows.</summary>
    Rate = 6,

    /// <summary>Somebody must resume the rollout (paused, or suspended by a gate).</summary>
    Resume = 7,

    /// <summary>An earlier wave has not passed.</summary>
    EarlierWave = 8,

    /// <summary>Members with a session are busy with another change.</summary>
    Busy = 9,
}
