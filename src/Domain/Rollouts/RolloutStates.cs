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

    /// <summary>A gate stopped new offers, and only an override with a reason goes on; or the image was revoked.</summary>
    Suspended = 4,

    /// <summary>Cancelled by an operator or aborted by a failure gate; waits for the devices in progress to end.</summary>
    Cancelling = 5,

    /// <summary>Terminal: every wave passed and every member has an outcome.</summary>
    Succeeded = 6,

    /// <summary>Terminal: cancelled, and no device is in progress any more.</summary>
    Cancelled = 7,

    /// <summary>A draft that cannot be started yet: approvals of its spec are missing.</summary>
    AwaitingApproval = 8,

    /// <summary>Terminal: a failure gate ended it, and no device is in progress any more.</summary>
    Aborted = 9,

    /// <summary>Devices are offered what they ran before, the last wave first.</summary>
    RollingBack = 10,

    /// <summary>Terminal: every device that it had touched is back, or cannot be brought back.</summary>
    RolledBack = 11,
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

    /// <summary>One of its gates suspended or aborted the rollout.</summary>
    Suspended = 5,

    /// <summary>
    /// Its gate is open and its soak is over; an approver decides whether the next wave starts. Members without an outcome are still
    /// offered, and its gates are still evaluated.
    /// </summary>
    AwaitingApproval = 6,

    /// <summary>The rollout is rolled back, and nobody of the wave had been offered anything.</summary>
    Skipped = 7,
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

    /// <summary>An approver has to decide (20: beside what a device may wait for).</summary>
    Approval = 20,

    /// <summary>Somebody has to start the rollout.</summary>
    Start = 21,

    /// <summary>Members that failed wait for their next attempt: their back-off is not over, or they are offline or busy.</summary>
    Retry = 22,

    /// <summary>Of one member: nothing; the next permit of its wave and partition is for one like it.</summary>
    Permit = 23,

    /// <summary>Of one member: the device has not named the offer yet.</summary>
    Delivery = 24,

    /// <summary>Of one member: the device does not meet what the change asks of it, and will be left out as it is now.</summary>
    Precondition = 25,

    /// <summary>No window is open in which devices may be offered the change.</summary>
    Window = 26,

    /// <summary>The rollout is rolled back, and a later wave is not back yet.</summary>
    LaterWave = 64,

    /// <summary>As many members of a group (a site, for example) are in progress as the budget per value allows.</summary>
    GroupBudget = 84,

    /// <summary>Devices that are offered the change may not begin to install it now, and have not.</summary>
    InstallWindow = 120,
}
